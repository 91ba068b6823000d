"""Read columns of texts: blanks, missing values, identifiers."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from features.cells.identifiers import (
    BLANKS,
    JOINERS,
    MAX_CHARACTERS,
    MISSING_WORDS,
    PLAIN,
    WHOLE_FLOAT,
    read_identifier,
)

_PLAIN: Final = f"^(?:{PLAIN})$"
_MISSING: Final = pa.array(["", *sorted(MISSING_WORDS)], pa.string())
_WHOLE_FLOAT: Final = f"^{WHOLE_FLOAT}$"
_EXACT_WHOLE: Final = {pa.float32(): 2**24, pa.float64(): 2**53}
"""Beyond it, a float no longer tells whole numbers apart."""
_ROUNDED: Final = "1E+99"
"""The text of a larger float: refused like a number that a spreadsheet rounded."""


def trim_blanks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without blanks at the ends."""
    return pc.utf8_trim(column, characters=BLANKS + JOINERS)


def find_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a mask of the texts that hold nothing: blanks or a word such as NULL."""
    return pc.is_in(_trim_mark(column), value_set=_MISSING)


def count_missing_words(column: pa.ChunkedArray) -> int:
    """Return how many texts are words such as NULL."""
    return _count(pc.is_in(_trim_mark(column.cast(pa.string())), value_set=_MISSING.slice(1)))


def _trim_mark(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without blanks at the ends and a spreadsheet's mark for text in front."""
    return trim_blanks(pc.replace_substring_regex(trim_blanks(column), "^'", ""))


def count_whole_floats(column: pa.ChunkedArray) -> int:
    """Return how many texts are whole numbers with a fraction of zeros."""
    return _count(pc.match_substring_regex(trim_blanks(column.cast(pa.string())), _WHOLE_FLOAT))


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)


def format_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers as texts: a whole number, also one in a column of floats, as its digits."""
    text = column.cast(pa.string())
    if pa.types.is_decimal(column.type):
        return pc.replace_substring_regex(text, r"\.0+$", "")
    if not pa.types.is_floating(column.type):
        return text
    is_exact = pc.less(pc.abs(column), float(_EXACT_WHOLE[column.type]))
    is_whole = pc.and_(is_exact, pc.equal(column, pc.trunc(column)))
    digits = pc.if_else(is_whole, column, 0.0).cast(pa.int64()).cast(pa.string())
    return pc.if_else(is_exact, pc.if_else(is_whole, digits, text), _ROUNDED)


def read_identifiers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of texts as identifiers in their one form; any other text is null."""
    if pc.all(_find_plain(column)).as_py():
        return column
    simple = pc.replace_substring_regex(trim_blanks(column), _WHOLE_FLOAT, r"\1")
    is_plain = _find_plain(simple)
    texts = pc.unique(simple.filter(pc.invert(is_plain)))
    identifiers = pa.array([read_identifier(text) for text in texts.to_pylist()], pa.string())
    read = identifiers.take(pc.index_in(simple.combine_chunks(), value_set=texts))
    return pc.if_else(is_plain, simple, pa.chunked_array([read]))


def _find_plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_short = pc.less_equal(pc.binary_length(column), MAX_CHARACTERS)
    return pc.fill_null(
        pc.and_(is_short, pc.match_substring_regex(column, _PLAIN)), fill_value=True
    )
