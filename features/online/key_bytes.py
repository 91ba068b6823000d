"""Under which bytes a snapshot's file keeps what it knows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from features.online.lmdb_file import MOST_KEY_BYTES

PRODUCT_FACTS: Final = "product facts"
LISTING_FACTS: Final = "listing facts"
ONLY_LISTING: Final = "only listing"
_BETWEEN: Final = "\x1f"
"""No identifier of the contract holds it."""
_APART: Final = "\x1e"
"""Nor this; a word of somebody else may."""
Word = str | None
"""A key's parts as one word; None where one of them isn't there."""
LONGEST_KEY: Final = 96
"""Bytes of a level's key; what is longer is known by its digest, so that rows stay narrow."""


def word_of(key: tuple[str, ...]) -> str:
    """Return the parts of a key as one word."""
    return _BETWEEN.join(key)


def words_of(first: Sequence[Word], second: Sequence[Word]) -> list[Word]:
    """Return keys of two parts as words, None where a part isn't there."""
    pairs = zip(first, second, strict=True)
    return [None if a is None or b is None else f"{a}{_BETWEEN}{b}" for a, b in pairs]


def keys_bytes(kind: str, words: Iterable[str]) -> list[bytes]:
    """Return the keys of rows of a kind: their words, or a digest of those that are too long."""
    start = f"{kind}{_BETWEEN}"
    return _shortened(start, _encoded(list(words), before=start), MOST_KEY_BYTES)


def level_keys(words: Iterable[str]) -> list[bytes]:
    """Return the keys of a level's rows, at most `LONGEST_KEY` bytes each.

    Each has an end of its own, so that two that differ do so with any zeros behind them too.
    """
    return _shortened("", _encoded(list(words), behind=_BETWEEN), LONGEST_KEY)


def _encoded(words: list[str], *, before: str = "", behind: str = "") -> list[bytes]:
    """Return each word in bytes; all of them at once takes a fifth of the time."""
    together = f"{behind}{_APART}{before}".join(["", *words]) + behind
    _, *plain = together.encode().split(_APART.encode())
    if len(plain) == len(words):
        return plain
    return [f"{before}{word}{behind}".encode() for word in words]  # one holds what parts them


def _shortened(start: str, keys: list[bytes], most: int) -> list[bytes]:
    if max(map(len, keys), default=0) <= most:
        return keys
    return [key if len(key) <= most else _digest(start, key) for key in keys]


def _digest(start: str, key: bytes) -> bytes:
    return f"{start}{_BETWEEN}{hashlib.sha256(key).hexdigest()}{_BETWEEN}".encode()


def rank(kind: str) -> bytes:
    """Return what sorts kinds as their keys are sorted."""
    return f"{kind}{_BETWEEN}".encode()
