"""Writing tables in parts: a folder a table, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.runtime.atomic import write_directory

MARK = "simulation.json"


def truth_directory(out: Path) -> Path:
    """Return the directory of a market's truth: beside the data, never inside."""
    return out.with_name(f"{out.name}-truth")


def write_part(directory: Path, name: str, part: int, table: pa.Table) -> None:
    """Write one part of a table; an empty part isn't written."""
    if table.num_rows:
        folder = directory / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"part-{part:05d}.parquet"
        pq.write_table(table, path, compression="zstd", write_statistics=False)


@contextmanager
def publish_directories(out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield two new directories, for data and truth, that replace `out` and its truth at the end.

    On any error the earlier directories stay.

    Raises:
        ForeignDirectoryError: a directory to replace isn't a simulated market.
        StorageError: the disk refuses.
    """
    truth = truth_directory(out)
    is_market = (truth / MARK).is_file()
    with (
        write_directory(truth, lambda _: is_market) as new_truth,
        write_directory(out, lambda _: is_market) as new_data,
    ):
        yield new_data, new_truth
