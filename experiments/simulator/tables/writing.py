"""Write tables in parts, a folder for each table, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.runtime.errors import StorageError

MARK = "simulation.json"


class OccupiedError(StorageError):
    """Refuse to replace a directory that isn't a simulated market."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            problem=f"The directory {directory.name} holds other files than a simulated market.",
            hint="Choose another --out, or move the files away.",
        )


class UnwritableError(StorageError):
    """Report a disk that is full or refuses to write."""

    def __init__(self, directory: Path, error: OSError) -> None:
        super().__init__(
            problem=(
                f"The directory {directory.name} can't be written: "
                f"{error.strerror or type(error).__name__}."
            ),
            hint="Free space, or choose another --out. What was there before is unchanged.",
        )


def truth_directory(out: Path) -> Path:
    """Return the directory of a market's truth: beside the data, never inside."""
    return out.with_name(f"{out.name}-truth")


def write_part(directory: Path, name: str, part: int, table: pa.Table) -> None:
    """Write a part of a table, unless it is empty."""
    if table.num_rows:
        folder = directory / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"part-{part:05d}.parquet"
        pq.write_table(table, path, compression="zstd", write_statistics=False)


def _is_replaceable(directory: Path) -> bool:
    return not directory.exists() or (directory.is_dir() and not any(directory.iterdir()))


@contextmanager
def publish_directories(out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield two new directories, for data and truth, that replace `out` and its truth in the end.

    After an error the earlier directories stay.

    Raises:
        OccupiedError: a directory to replace isn't a simulated market.
        UnwritableError: the disk refuses.
    """
    truth = truth_directory(out)
    is_market = (truth / MARK).is_file()
    for directory in (out, truth):
        if not is_market and not _is_replaceable(directory):
            raise OccupiedError(directory)
    work = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(work, ignore_errors=True)
        (work / "data").mkdir(parents=True)
        (work / "truth").mkdir()
        yield work / "data", work / "truth"
        for source, directory in ((work / "data", out), (work / "truth", truth)):
            shutil.rmtree(directory, ignore_errors=True)
            source.rename(directory)
    except OSError as error:
        raise UnwritableError(out, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
