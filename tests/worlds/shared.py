"""Directories that the workers of a test session share: whoever asks first makes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock


def make_once(root: Path, name: str, fill: Callable[[Path], object]) -> Path:
    """Return a directory below `root`, filled by the process that asks for it first.

    `root` belongs to one test session, so that nothing in it is older than the code. A directory
    gets its name when it is whole. No test may change it.
    """
    directory = root / name
    with FileLock(f"{directory}.lock"):
        if not directory.exists():
            work = Path(mkdtemp(dir=root))
            fill(work)
            work.rename(directory)
    return directory
