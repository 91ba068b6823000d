"""Clean the names in a header: what no reader of the file can see doesn't belong to a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

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
