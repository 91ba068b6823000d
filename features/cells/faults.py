"""Say why cells can't be read: few reasons, whatever the cells are, so that reports count them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from features.cells.casting import simplify
from features.cells.identifiers import canonical_identifier, find_identifier_fault
from features.cells.text_columns import format_numbers
from features.contract.columns import (
    MONEY_UNIT,
    NOT_ALLOWED,
    ColumnKind,
    Table,
    column_kind,
    is_identifier,
)

UNREADABLE: Final = {
    ColumnKind.TEXT: "not text",
    ColumnKind.INTEGER: "not an integer",
    ColumnKind.NUMBER: "not a number",
    ColumnKind.FLAG: "not true or false",
    ColumnKind.TIME: "not a time",
}
"""The reason where nothing more can be seen in the cell."""

MONEY_FRACTION: Final = "has a fraction; write minor units, such as 1999 for 19.99"
_NUMBER_SIGNS: Final = (
    (re.compile(r"[\d.,+\-  ']*%"), "has a percent sign; write the number alone"),
    (re.compile(r"[+-]?[\d.]*,[\d.,]*"), "has a comma; write a point and no thousands signs"),
    (re.compile(r"[+-]?\d+([  ']\d+)+(\.\d*)?"), "has a thousands sign; leave it out"),
)
_THOUSANDS_OR_ZEROS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(\.000)+")
_AMOUNT_FRACTION: Final = re.compile(r"[+-]?(\d*\.\d*[1-9]\d*|\d+,\d\d?)")

_ZONE_LETTERS: Final = frozenset(
    {"ACST", "AEDT", "AEST", "AKDT", "AKST", "AST", "BST", "CAT", "CDT", "CEST", "CET", "CST"}
    | {"EAT", "EDT", "EEST", "EET", "EST", "HKT", "HST", "ICT", "IST", "JST", "KST", "MDT", "MSK"}
    | {"MST", "MYT", "NZDT", "NZST", "PDT", "PHT", "PKT", "PST", "SAST", "SGT", "WAT", "WET"}
    | {"WIB", "WITA"}
)
_UTC_LETTERS: Final = frozenset({"T", "Z", "UTC", "GMT"})
_HALVES_OF_DAY: Final = frozenset({"AM", "PM"})
_ZONED: Final = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T][\d:.]+ *([A-Za-z_]+)(/?).*")
_TIME_FORMS: Final = (
    (
        re.compile(r"\d{5}(\.\d+)?"),
        "a spreadsheet's number of a day; give the cells the form of a date",
    ),
    (re.compile(r"\d{9,11}(\.\d*)?"), "a number of seconds; write 2024-03-01 12:00:00"),
    (re.compile(r"\d{12,14}(\.\d*)?"), "a number of milliseconds; write 2024-03-01 12:00:00"),
    (re.compile(r"\d{15,20}"), "a number of microseconds or less; write 2024-03-01 12:00:00"),
    (re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b.*"), "not in the order year, month, day"),
)


class Fault(NamedTuple):
    """A reason why cells of a column can't be read, with a mask of these cells."""

    column: str
    reason: str
    cells: pa.ChunkedArray


def explain_unreadable(
    table: Table, cells: pa.Table, unreadable: dict[str, pa.ChunkedArray]
) -> Iterator[Fault]:
    """Yield the reasons of the cells that `find_unreadable` found, in the order of columns."""
    for name, column in table.columns.items():
        if name in unreadable and pc.any(unreadable[name]).as_py():
            yield from _explain_column(name, _choose_explanation(column), cells[name], unreadable)


def _explain_column(
    name: str,
    explain: Callable[[str], str],
    cells: pa.ChunkedArray,
    unreadable: dict[str, pa.ChunkedArray],
) -> Iterator[Fault]:
    mask = unreadable[name].combine_chunks()
    bad = format_numbers(simplify(cells.filter(mask))).combine_chunks()
    texts = pc.unique(bad)
    reasons = pa.array([explain(text) for text in texts.to_pylist()], pa.string())
    of_bad = reasons.take(pc.index_in(bad, value_set=texts))
    of_all = pc.replace_with_mask(pa.nulls(len(mask), pa.string()), mask, of_bad)
    for reason in pc.unique(of_bad).to_pylist():
        has_reason = pc.fill_null(pc.equal(of_all, reason), fill_value=False)
        yield Fault(name, reason, pa.chunked_array([has_reason]))


def _choose_explanation(column: pandera.Column) -> Callable[[str], str]:
    kind = column_kind(column)
    if kind is ColumnKind.TEXT:
        return _explain_identifier if is_identifier(column) else lambda _: NOT_ALLOWED
    if kind is ColumnKind.TIME:
        return _explain_time
    if kind is ColumnKind.FLAG:
        return lambda _: UNREADABLE[kind]
    if column.metadata["unit"] == MONEY_UNIT:
        return _explain_money
    return lambda text: _explain_number(text, UNREADABLE[kind])


def _explain_identifier(text: str) -> str:
    return find_identifier_fault(canonical_identifier(text)) or UNREADABLE[ColumnKind.TEXT]


def _explain_money(text: str) -> str:
    has_fraction = _AMOUNT_FRACTION.fullmatch(text.strip()) is not None
    return MONEY_FRACTION if has_fraction else _explain_number(text, UNREADABLE[ColumnKind.INTEGER])


def _explain_number(text: str, otherwise: str) -> str:
    bare = text.strip()
    if any(unicodedata.category(char) == "Sc" for char in bare):
        return "has a currency sign; write the number alone"
    if _THOUSANDS_OR_ZEROS.fullmatch(bare):
        return "has a point before three zeros: write 1000 or 1"
    return next((why for form, why in _NUMBER_SIGNS if form.fullmatch(bare)), otherwise)


def _explain_time(text: str) -> str:
    bare = text.strip()
    zoned = _ZONED.fullmatch(bare)
    if zoned and zoned[1].upper() not in _UTC_LETTERS:
        return _explain_letters(zoned[1].upper(), is_region=bool(zoned[2]))
    otherwise = UNREADABLE[ColumnKind.TIME]
    return next((why for form, why in _TIME_FORMS if form.fullmatch(bare)), otherwise)


def _explain_letters(letters: str, *, is_region: bool) -> str:
    if is_region:
        return "a time that its zone's clocks skip in spring, or a zone that isn't known"
    if letters in _HALVES_OF_DAY:
        return "a time with AM or PM; write 13:00 for 1 PM"
    word = f" ({letters})" if letters in _ZONE_LETTERS else ""
    return f"a time zone in letters{word}; write the offset, for instance +08:00"
