"""Show the keys of a file without anything that helps to guess one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from rich.table import Table

from serving.access.keys import ApiKey
from serving.access.scopes import Scope


class KeyFacts(Struct, frozen=True):
    """What is shown of a key."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None
    is_expired: bool
    requests_per_second: float | None
    burst: int | None


def list_facts(keys: Iterable[ApiKey], now: datetime) -> list[KeyFacts]:
    """Return what is shown of each key, in the order of the file."""
    return [
        KeyFacts(
            key_id=key.key_id,
            name=key.name,
            scopes=key.scopes,
            created=key.created,
            expires=key.expires,
            is_expired=key.is_expired(now.timestamp()),
            requests_per_second=key.rate.per_second if key.rate else None,
            burst=key.rate.burst if key.rate else None,
        )
        for key in keys
    ]


def build_table(facts: Iterable[KeyFacts]) -> Table:
    """Return the facts as a table, a row a key."""
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "name", "scopes", "made", "expires", "requests/s", "burst"):
        table.add_column(heading)
    for key in facts:
        table.add_row(
            key.key_id,
            key.name,
            ", ".join(key.scopes),
            f"{key.created:%Y-%m-%d}",
            _describe_expiry(key),
            "no limit" if key.requests_per_second is None else f"{key.requests_per_second:g}",
            "" if key.burst is None else f"{key.burst:,}",
        )
    return table


def _describe_expiry(key: KeyFacts) -> str:
    if key.expires is None:
        return "never"
    return f"{'EXPIRED ' if key.is_expired else ''}{key.expires:%Y-%m-%d %H:%M} UTC"
