"""Clean the names in a header: what no reader of the file can see doesn't belong to a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from features.contract.errors import TooManyColumnsError

MAX_COLUMNS: Final = 2_000
"""More columns than any shop's export has."""

_INVISIBLE: Final = re.compile("[\ufeff\u200b\u2060\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Byte order mark, zero-width space, word joiner, soft hyphen and marks of direction.

The zero-width joiners stay: they belong to words of Hindi, Persian and others.
"""


def clean_name(name: str) -> str:
    r"""Return a name without blanks at its ends and invisible characters, in Unicode's form NFC.

    >>> clean_name("\ufeff order_id\u00a0")
    'order_id'
    """
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", name)).strip()


def clean_names(names: Iterable[str]) -> list[str]:
    """Return the names of a header in their order, each cleaned."""
    return [clean_name(name) for name in names]


def name_columns(header: Iterable[str]) -> list[str]:
    """Return clean names; columns without one are dropped at the end, and numbered elsewhere.

    >>> name_columns(["", "units ", ""])
    ['unnamed_1', 'units']
    """
    names = clean_names(header)
    while names and not names[-1]:
        names.pop()
    return [name or f"unnamed_{number}" for number, name in enumerate(names, start=1)]


def refuse_many_columns(file: Path, columns: int) -> None:
    """Refuse a file that nobody wrote by hand or exported from a shop.

    Raises:
        TooManyColumnsError: it has more than `MAX_COLUMNS` columns.
    """
    if columns > MAX_COLUMNS:
        raise TooManyColumnsError(file, columns, MAX_COLUMNS)
