"""An array in a file of its own, in NumPy's format: written once, and mapped to be read.

All processes that map it share its pages, and only those are read that are looked at
(numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from tokenize import TokenError
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.online.contents import SnapshotRefusedError

ARRAY_ERRORS: Final = (OSError, ValueError, EOFError, TypeError, SyntaxError, TokenError)
"""What NumPy raises of a file that is no array: it reads the header as Python text."""


def write_array(
    path: Path, dtype: str, shape: tuple[int, ...], blocks: Iterable[npt.NDArray[Any]]
) -> None:
    """Write blocks of rows, one behind the other, as one array.

    They are written and not mapped: of a mapped file that the disk has no room for, a process dies.

    Raises:
        ValueError: the blocks don't have `shape` together.
    """
    rows = 0
    with path.open("wb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            if block.shape[1:] != shape[1:]:
                raise ValueError(f"expected rows of shape {shape[1:]}, found {block.shape[1:]}")
            rows += len(block)
            file.write(block.astype(dtype, order="C", copy=False).tobytes())
        if rows != shape[0]:
            raise ValueError(f"expected {shape[0]} rows, found {rows}")
        file.flush()
        os.fsync(file.fileno())


def map_array(path: Path, dtype: str, shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
    """Map an array, which can't be changed; it stays mapped as long as it or a view is held.

    Where `shape` has None, any length will do.

    Raises:
        SnapshotRefusedError: the file doesn't hold an array of this type and shape.
    """
    lengths = " x ".join("any" if length is None else str(length) for length in shape)
    expected = f"an array of {dtype}, {lengths}, in {path.name}"
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except ARRAY_ERRORS as error:
        raise SnapshotRefusedError(path.parent, expected=expected, found="none") from error
    wanted = tuple(map(_resolve_length, shape, array.shape)) if array.ndim == len(shape) else shape
    if array.dtype != np.dtype(dtype) or array.shape != wanted:
        found = f"one of {array.dtype.str}, {' x '.join(map(str, array.shape))},"
        raise SnapshotRefusedError(path.parent, expected=expected, found=found)
    return np.asarray(array)


def _resolve_length(wanted: int | None, found: int) -> int:
    return found if wanted is None else wanted
