"""Writing tables in parts: a folder a table, whole or not at all."""

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
    """Refuse to write over what isn't a simulated market."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            expected="a directory that doesn't exist, is empty, or holds a simulated market",
            found=f"other things in {directory.name}",
            way_out="Choose another --out, or move them away.",
        )


class UnwritableError(StorageError):
    """Report a disk that takes no more, or refuses."""

    def __init__(self, directory: Path, error: OSError) -> None:
        super().__init__(
            expected=f"room to write {directory.name}",
            found=error.strerror or type(error).__name__,
            way_out="Free space or choose another --out; nothing that stood there was changed.",
        )


def truth_directory(out: Path) -> Path:
    """Return where the truth of a simulated market lies: beside the data, never inside."""
    return out.with_name(f"{out.name}-truth")


def write_part(directory: Path, name: str, part: int, table: pa.Table) -> None:
    """Write one part of a table; an empty part isn't written."""
    if table.num_rows:
        folder = directory / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"part-{part:05d}.parquet"
        pq.write_table(table, path, compression="zstd", write_statistics=False)


def _is_replaceable(directory: Path) -> bool:
    return not directory.exists() or (directory.is_dir() and not any(directory.iterdir()))


@contextmanager
def publish_directories(out: Path) -> Iterator[tuple[Path, Path]]:
    """Give two new directories, for data and truth, that take the places of `out` and its truth.

    If anything goes wrong, what stood there stays.

    Raises:
        OccupiedError: what stands there isn't a simulated market.
        UnwritableError: the disk refuses.
    """
    truth = truth_directory(out)
    is_ours = (truth / MARK).is_file()
    for directory in (out, truth):
        if not is_ours and not _is_replaceable(directory):
            raise OccupiedError(directory)
    work = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(work, ignore_errors=True)
        (work / "data").mkdir(parents=True)
        (work / "truth").mkdir()
        yield work / "data", work / "truth"
        for made, place in ((work / "data", out), (work / "truth", truth)):
            shutil.rmtree(place, ignore_errors=True)
            made.rename(place)
    except OSError as error:
        raise UnwritableError(out, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
