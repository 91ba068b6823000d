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
    ColumnKind.INTEGER: "not a whole number",
    ColumnKind.NUMBER: "not a number",
    ColumnKind.FLAG: "not true or false",
    ColumnKind.TIME: "not a time such as 2024-03-01 12:00:00",
}
"""The reason where nothing more can be seen in the cell."""

MONEY_FRACTION: Final = "has a fraction; write cents or pence, such as 1999 for 19.99"
_NUMBER_SIGNS: Final = (
    (re.compile(r"[\d.,+\-  ']*%"), "has a percent sign; write the number alone"),
    (re.compile(r"[+-]?\d+([  ']\d+)+(\.\d*)?"), "has a thousands sign; leave it out"),
)
_COMMAS: Final = re.compile(r"[+-]?[\d.]*,[\d.,]*")
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
        "a spreadsheet's day number; format the cells as dates",
    ),
    (
        re.compile(r"\d{9,11}(\.\d*)?"),
        "seconds since 1970; write a time such as 2024-03-01 12:00:00",
    ),
    (
        re.compile(r"\d{12,14}(\.\d*)?"),
        "milliseconds since 1970; write a time such as 2024-03-01 12:00:00",
    ),
    (
        re.compile(r"\d{15,20}"),
        "microseconds or less since 1970; write a time such as 2024-03-01 12:00:00",
    ),
    (
        re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b.*"),
        "the day or the month comes first; write 2024-03-01 12:00:00",
    ),
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
    return _explain_whole if kind is ColumnKind.INTEGER else _explain_number


def _explain_identifier(text: str) -> str:
    return find_identifier_fault(canonical_identifier(text)) or UNREADABLE[ColumnKind.TEXT]


def _explain_money(text: str) -> str:
    bare = text.strip()
    if _has_currency_sign(bare):
        return "has a currency sign; write cents or pence alone, such as 1999"
    return MONEY_FRACTION if _AMOUNT_FRACTION.fullmatch(bare) else _explain_whole(text)


def _explain_whole(text: str) -> str:
    bare = text.strip()
    if _THOUSANDS_OR_ZEROS.fullmatch(bare):
        return "has a point before three zeros: write 1000 or 1"
    if _COMMAS.fullmatch(bare):
        return "has a comma; write a whole number without thousands signs"
    return _find_sign(bare) or UNREADABLE[ColumnKind.INTEGER]


def _explain_number(text: str) -> str:
    bare = text.strip()
    if _COMMAS.fullmatch(bare):
        return "has a comma; write a point and no thousands signs"
    return _find_sign(bare) or UNREADABLE[ColumnKind.NUMBER]


def _find_sign(bare: str) -> str | None:
    """Return the reason for a sign that no number has."""
    if _has_currency_sign(bare):
        return "has a currency sign; write the number alone"
    return next((why for form, why in _NUMBER_SIGNS if form.fullmatch(bare)), None)


def _has_currency_sign(bare: str) -> bool:
    return any(unicodedata.category(char) == "Sc" for char in bare)


def _explain_time(text: str) -> str:
    bare = text.strip()
    zoned = _ZONED.fullmatch(bare)
    if zoned and zoned[1].upper() not in _UTC_LETTERS:
        return _explain_letters(zoned[1].upper(), is_region=bool(zoned[2]))
    otherwise = UNREADABLE[ColumnKind.TIME]
    return next((why for form, why in _TIME_FORMS if form.fullmatch(bare)), otherwise)


def _explain_letters(letters: str, *, is_region: bool) -> str:
    if is_region:
        return (
            "a time that the clocks of its zone skip, or an unknown zone; "
            "write the offset, such as +08:00"
        )
    if letters in _HALVES_OF_DAY:
        return "a time with AM or PM; write 13:00 for 1 PM"
    word = f" ({letters})" if letters in _ZONE_LETTERS else ""
    return f"a time zone in letters{word}; write the offset, for instance +08:00"
