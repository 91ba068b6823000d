"""Under which bytes a snapshot's file keeps what it knows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from features.online.lmdb_file import MAX_KEY_BYTES

PRODUCT_FACTS: Final = "product facts"
LISTING_FACTS: Final = "listing facts"
ONLY_LISTING: Final = "only listing"
_SEPARATOR: Final = "\x1f"
"""No identifier of the contract holds it."""
_WORD_SEPARATOR: Final = "\x1e"
"""Nor this; a word of somebody else may."""
Word = str | None
"""A key's parts as one word; None where one of them isn't there."""
MAX_LEVEL_KEY_BYTES: Final = 96
"""Bytes of a level's key; what is longer is known by its digest, so that rows stay narrow."""


def join_key_parts(key: tuple[str, ...]) -> str:
    """Return the parts of a key as one word."""
    return _SEPARATOR.join(key)


def join_pairs(first: Sequence[Word], second: Sequence[Word]) -> list[Word]:
    """Return keys of two parts as words, None where a part isn't there."""
    pairs = zip(first, second, strict=True)
    return [None if a is None or b is None else f"{a}{_SEPARATOR}{b}" for a, b in pairs]


def encode_keys(kind: str, words: Iterable[str]) -> list[bytes]:
    """Return the keys of rows of a kind: their words, or a digest of those that are too long."""
    start = f"{kind}{_SEPARATOR}"
    return _shorten(start, _encode(list(words), before=start), MAX_KEY_BYTES)


def encode_level_keys(words: Iterable[str]) -> list[bytes]:
    """Return the keys of a level's rows, at most `MAX_LEVEL_KEY_BYTES` bytes each.

    Each has an end of its own, so that two that differ do so with any zeros behind them too.
    """
    return _shorten("", _encode(list(words), behind=_SEPARATOR), MAX_LEVEL_KEY_BYTES)


def _encode(words: list[str], *, before: str = "", behind: str = "") -> list[bytes]:
    """Return each word in bytes; all of them at once takes a fifth of the time."""
    together = f"{behind}{_WORD_SEPARATOR}{before}".join(["", *words]) + behind
    _, *plain = together.encode().split(_WORD_SEPARATOR.encode())
    if len(plain) == len(words):
        return plain
    return [f"{before}{word}{behind}".encode() for word in words]  # one holds what parts them


def _shorten(start: str, keys: list[bytes], most: int) -> list[bytes]:
    if max(map(len, keys), default=0) <= most:
        return keys
    return [key if len(key) <= most else _digest(start, key) for key in keys]


def _digest(start: str, key: bytes) -> bytes:
    return f"{start}{_SEPARATOR}{hashlib.sha256(key).hexdigest()}{_SEPARATOR}".encode()


def sort_key(kind: str) -> bytes:
    """Return what sorts kinds as their keys are sorted."""
    return f"{kind}{_SEPARATOR}".encode()
