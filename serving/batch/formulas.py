"""Keep spreadsheets from running a cell of a written CSV file, and undo that when reading one.

A spreadsheet runs a text that begins like a formula (owasp.org, "CSV Injection"). A `'` before it
makes it text. A text that begins with `'` and then like a formula gets one too, so that removing
one `'` always gives back the original.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

GUARD: Final = "'"
_STARTS: Final = r"=+\-@\t\r\n\x00" "\uff1d\uff0b\uff0d\uff20"
"""The last four are the full-width forms of the first four."""
_FORMULA: Final = f"^'*[{_STARTS}]"
_PLAIN_NUMBER: Final = r"^'*[+-]?[0-9]+(\.[0-9]+)?$"


def add_guards(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Put a `'` before each text that a spreadsheet would take for a formula."""
    return pc.if_else(_is_formula(texts), pc.binary_join_element_wise(GUARD, texts, ""), texts)


def remove_guards(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Remove the `'` that `add_guards` put before a text."""
    is_guarded = pc.and_(pc.starts_with(texts, GUARD), _is_formula(texts))
    return pc.if_else(is_guarded, pc.utf8_slice_codeunits(texts, start=1), texts)


def add_name_guards(names: Iterable[str]) -> list[str]:
    """Guard the names in a header as `add_guards` does cells."""
    return list(add_guards(pa.chunked_array([list(names)], pa.string())).to_pylist())


def remove_name_guards(names: Iterable[str]) -> list[str]:
    """Remove the guards of the names in a header."""
    return list(remove_guards(pa.chunked_array([list(names)], pa.string())).to_pylist())


def _is_formula(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return where a text, behind any `'`, begins like a formula and isn't a plain number."""
    return pc.and_not(
        pc.match_substring_regex(texts, _FORMULA), pc.match_substring_regex(texts, _PLAIN_NUMBER)
    )
