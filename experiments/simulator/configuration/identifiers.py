"""Format identifiers and keyed hashes for whole columns at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.runtime.arrays import IntArray

PRODUCT_DIGITS: Final = 8
_HEX: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def format_ids(prefix: str, *parts: tuple[IntArray, int]) -> pa.Array:
    """Return `prefix` and the parts, joined by hyphens; a part is numbers and their digits."""
    return _to_string_array(_encode_letters(prefix, parts))


def format_listing_ids(
    prefix: str, part: tuple[IntArray, int], codes: Sequence[str], code_index: IntArray
) -> pa.Array:
    """Return `prefix`, a number, a hyphen and a code; codes have equal lengths."""
    endings = np.array([list(f"-{code}".encode()) for code in codes], dtype=np.uint8)
    return _to_string_array(np.hstack([_encode_letters(prefix, (part,)), endings[code_index]]))


def _encode_letters(prefix: str, parts: tuple[tuple[IntArray, int], ...]) -> npt.NDArray[np.uint8]:
    rows = len(parts[0][0])
    columns = [np.tile(np.frombuffer(prefix.encode(), dtype=np.uint8), (rows, 1))]
    for index, (numbers, digits) in enumerate(parts):
        if index:
            columns.append(np.full((rows, 1), ord("-"), dtype=np.uint8))
        powers = 10 ** np.arange(digits - 1, -1, -1, dtype=np.int64)
        columns.append(((numbers[:, None] // powers) % 10 + ord("0")).astype(np.uint8))
    return np.hstack(columns)


def hash_numbers(numbers: IntArray, key: int) -> pa.Array:
    """Return a hexadecimal hash of each number (splitmix64), 16 digits, distinct by number."""
    start = hashlib.blake2b(str(key).encode(), digest_size=8).digest()
    with np.errstate(over="ignore"):
        mixed = numbers.astype(np.uint64) + np.uint64(int.from_bytes(start, "big"))
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    in_bytes = mixed.astype(">u8").view(np.uint8).reshape(-1, 8)
    digits = np.stack([in_bytes >> 4, in_bytes & 15], axis=2).reshape(-1, 16)
    return _to_string_array(_HEX[digits])


def take_names(names: Sequence[str] | pa.Array, indices: IntArray) -> pa.Array:
    """Return the name at each index, null for a negative index."""
    values = names if isinstance(names, pa.Array) else pa.array(list(names), pa.string())
    return values.take(pa.array(indices, mask=indices < 0))


def _to_string_array(letters: npt.NDArray[np.uint8]) -> pa.Array:
    rows, width = letters.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)
