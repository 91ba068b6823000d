"""API keys that tests send, and the file that the service knows them by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from serving.access.key_file import add_key
from serving.access.keys import RateLimit, make_key
from serving.access.scopes import Scope

NOW = datetime.now(UTC)


def add(
    path: Path,
    *scopes: Scope,
    name: str = "shop",
    days: int | None = None,
    rate: RateLimit | None = None,
    made: datetime = NOW,
) -> str:
    """Add a key to a file, of all scopes unless told otherwise; return it as its owner sends it."""
    text, key = make_key(name, scopes or tuple(Scope), made, days=days, rate=rate)
    add_key(path, key)
    return text


def add_expired(path: Path) -> str:
    """Add a key that expired yesterday."""
    return add(path, days=1, made=NOW - timedelta(days=2))


def id_of(text: str) -> str:
    """Return the id of a key as its owner sends it."""
    return text.split("_")[1]
