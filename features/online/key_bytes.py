"""Byte encoding of snapshot keys.

A key is an identifier (or several, joined) followed by the kind of its row. The kind comes last so
that all rows of a product or listing lie side by side: reading one brings the others into memory
(docs/decisions/online-store.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from features.online.lmdb_file import MAX_KEY_BYTES

PRODUCT_FACTS: Final = "product facts"
LISTING_FACTS: Final = "listing facts"
ONLY_LISTING: Final = "only listing"
VECTOR_DTYPE: Final = "<f8"
"""How a vector is stored: the level's features in order, 8 bytes each."""
_SEPARATOR: Final = "\x1f"
"""The contract allows it in no identifier."""
_KEY_SEPARATOR: Final = "\x1e"
"""The contract forbids it too, but a caller may still send it."""
JoinedKey = str | None
"""The parts of a key as one text; None if a part is missing."""


def join_key_parts(key: tuple[str, ...]) -> str:
    """Join the parts of a key into one text."""
    return _SEPARATOR.join(key)


def join_pairs(first: Sequence[JoinedKey], second: Sequence[JoinedKey]) -> list[JoinedKey]:
    """Join keys of two parts, row by row; None if a part is missing."""
    pairs = zip(first, second, strict=True)
    return [None if a is None or b is None else f"{a}{_SEPARATOR}{b}" for a, b in pairs]


def encode_keys(kind: str, keys: Iterable[str]) -> list[bytes]:
    """Encode the keys of rows of one kind; a key that is too long becomes its digest."""
    end = f"{_SEPARATOR}{kind}"
    encoded = _append_and_encode(list(keys), end)
    if max(map(len, encoded), default=0) <= MAX_KEY_BYTES:
        return encoded
    return [key if len(key) <= MAX_KEY_BYTES else _digest(key, end) for key in encoded]


def _append_and_encode(keys: list[str], end: str) -> list[bytes]:
    """Encode all keys in one call, which is faster than key by key."""
    text = f"{end}{_KEY_SEPARATOR}".join([*keys, ""])
    *encoded, _ = text.encode().split(_KEY_SEPARATOR.encode())
    if len(encoded) == len(keys):
        return encoded
    return [f"{key}{end}".encode() for key in keys]  # a key holds the separator


def _digest(key: bytes, end: str) -> bytes:
    return f"{hashlib.sha256(key).hexdigest()}{_SEPARATOR}{end}".encode()
