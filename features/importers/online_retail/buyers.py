"""Pseudonyms of buyers: keyed hashes, so that a table alone identifies nobody."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Final

from features.runtime.errors import DataError
from features.runtime.text import escape

PUBLISHED_KEY: Final = b"xuanpin: published key, for public data only"
"""The default key: with it, imports of public data are equal everywhere.

Anyone with the customer numbers can reverse pseudonyms made with it. Private data need a private
key.
"""
MIN_KEY_BYTES: Final = 16
MAX_KEY_BYTES: Final = 4_096


class WeakKeyError(DataError):
    """Refuse a key that is too short to protect pseudonyms, or too long to be a key."""

    def __init__(self, length: int) -> None:
        """Show the length, never the key."""
        shown = f"{length:,}" if length <= MAX_KEY_BYTES else "more"
        super().__init__(
            problem=f"The key must have {MIN_KEY_BYTES} to {MAX_KEY_BYTES:,} bytes; "
            f"this one has {shown}.",
            hint="Make one with: head -c 32 /dev/urandom > pseudonyms.key.",
        )


class UnreadableKeyError(DataError):
    """Refuse a key file that can't be read."""

    def __init__(self, path: Path, detail: str) -> None:
        """Name the file and what the system says about it."""
        super().__init__(
            problem=f"The key file {escape(str(path))} can't be read: {detail}.",
            hint="Check the path and its permissions.",
        )


def read_key(path: Path) -> bytes:
    """Return all bytes of a key file, including a newline at its end.

    Raises:
        UnreadableKeyError: the file is missing or may not be read.
        WeakKeyError: the file has fewer than 16 bytes, or more than 4,096.
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
    """Return the HMAC-SHA256 of a customer number as 64 hex digits (RFC 2104).

    >>> buyer_key("17850", PUBLISHED_KEY)[:12]
    '3b18656a26d1'
    """
    return hmac.new(key, customer.encode(), hashlib.sha256).hexdigest()
