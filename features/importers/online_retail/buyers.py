"""Pseudonyms of buyers: keyed hashes, so that a table alone leads back to nobody."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Final

from features.runtime.errors import DataError

PUBLISHED_KEY: Final = b"xuanpin: published key, for public data only"
"""The key used when none is given: it makes imports of public data equal everywhere.

Whoever has the customers' numbers can reverse pseudonyms made with it. Data of one's own need a
key of one's own.
"""
MIN_KEY_BYTES: Final = 16
MAX_KEY_BYTES: Final = 4_096


class WeakKeyError(DataError):
    """Refuse a key that is too short to keep pseudonyms, or too long to be a key."""

    def __init__(self, length: int) -> None:
        """Tell the length, never the key."""
        found = f"{length:,} bytes" if length <= MAX_KEY_BYTES else "more"
        super().__init__(
            expected=f"a key of {MIN_KEY_BYTES} to {MAX_KEY_BYTES:,} bytes",
            found=found,
            way_out="Make one with: head -c 32 /dev/urandom > pseudonyms.key",
        )


class UnreadableKeyError(DataError):
    """Refuse a key file that can't be read."""

    def __init__(self, path: Path, detail: str) -> None:
        """Name the file and what the system says about it."""
        super().__init__(
            expected=f"a readable key file at {path}",
            found=detail,
            way_out="Check the path and who may read it.",
        )


def read_key(path: Path) -> bytes:
    """Return the bytes of a key file, each of them, a newline at the end included.

    Raises:
        UnreadableKeyError: no such file, or not ours to read.
        WeakKeyError: fewer than 16 bytes, or more than 4,096.
    """
    try:
        with path.open("rb") as file:
            key = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise UnreadableKeyError(path, error.strerror or str(error)) from error
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise WeakKeyError(len(key))
    return key


def buyer_key(customer: str, key: bytes) -> str:
    """Return the HMAC-SHA256 of a customer's number as 64 hex digits (RFC 2104).

    >>> buyer_key("17850", PUBLISHED_KEY)[:12]
    '3b18656a26d1'
    """
    return hmac.new(key, customer.encode(), hashlib.sha256).hexdigest()
