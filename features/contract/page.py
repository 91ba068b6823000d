"""Make the page docs/contract.md of the declarations: `python -m features.contract.page`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Final

import pandera.pandas as pa

from features.contract.columns import Privacy, Table, column_kind, column_privacy, is_identifier
from features.contract.errors import KIND_NAMES
from features.contract.tables import TABLES

PRIVACY_MEANINGS: Final = {
    Privacy.OPEN: "public in the shop",
    Privacy.BUSINESS: "confidential to the business, not about a person",
    Privacy.PSEUDONYM: "a keyed hash of a person: for joins only, never shown",
    Privacy.FREE_TEXT: "may hold personal data: never used as a feature, never logged",
}

MAX_LISTED_WORDS: Final = 8
MAX_SHOWN_LIMIT: Final = 1e9
"""Higher limits only stop broken exports, so the page leaves them out."""

_HEAD: Final = """# The contract

<!-- Made by `python -m features.contract.page > docs/contract.md` from
features/contract/tables.py. -->

A data set is a directory. Each table is one file or one folder of files, in CSV, Parquet or Excel:
`orders.csv`, `orders.parquet`, `orders.xlsx` or a folder `orders/` of such files. Folders below it
are read too; a folder `market=DE/` gives its files a column `market`.
CSV is UTF-8, or UTF-16 with a byte order mark, and has a header. Its cells are separated by commas,
or by semicolons, tabs or bars if the header has no comma; an empty cell is null. A workbook has one
sheet with cells.

- **Times** are UTC. A time may have an offset (`+08:00`, `-0500`, `Z`, `UTC`) or a zone such as
  `Asia/Shanghai`; without one it counts as UTC. Other letters (`CST`) are refused: they mean
  several zones. Of a time that occurs twice in autumn, the later is meant; one that spring skips is
  refused.
- **Event tables** have `event_time` (when it happened) and `available_at` (when it could first be
  known). A source with a single time writes it into both. A row without `available_at` is never
  visible to a feature.
- **Money** is a whole number of minor units of a currency; a market has one currency.
- **Identifiers** have 1 to 128 characters: letters, digits and marks of any script, blanks inside,
  and the signs `. - _ : / + | & ' # ( ) , = >`. Blanks at the ends are trimmed, `17850.0` is
  `17850`, and letters are composed (NFC). Numbers that a spreadsheet rounded (`5.76E+17`) are
  refused.
- **Missing** is an empty or blank cell, NaN, or a word such as `NULL`, `None`, `nan` or `N/A`.
- **Order** of columns and rows doesn't matter; unknown columns are ignored.
- **Only `products`, `listings` and `orders` are required.** Features of an absent table are null.

`xuanpin check DIR` reports the rows that break these rules, with the reasons.

| privacy | meaning |
|---|---|
"""


def contract_page() -> str:
    """Return the page: every table with its columns, in Markdown."""
    privacy = "".join(
        f"| {word.value} | {meaning} |\n" for word, meaning in PRIVACY_MEANINGS.items()
    )
    return _HEAD + privacy + "".join(_section(table) for table in TABLES)


def _section(table: Table) -> str:
    need = "required" if table.is_required else "optional"
    key = ", ".join(f"`{name}`" for name in table.key)
    lines = (_line(name, column) for name, column in table.columns.items())
    return (
        f"\n## {table.name}\n\n"
        f"One row is {table.row}; {need}; key: {key}.\n\n"
        "| column | holds | unit | allowed | privacy | may be | meaning |\n"
        "|---|---|---|---|---|---|---|\n" + "".join(lines)
    )


def _line(name: str, column: pa.Column) -> str:
    cells = (
        f"`{name}`",
        KIND_NAMES[column_kind(column)],
        column.metadata["unit"],
        "an identifier"
        if is_identifier(column)
        else ", ".join(_describe_check(check) for check in column.checks),
        column_privacy(column).value,
        " or ".join(_list_exemptions(column)),
        column.description,
    )
    return f"| {' | '.join(cells)} |\n"


def _describe_check(check: pa.Check) -> str:
    """Describe the values that a check of a column allows."""
    limits = check.statistics or {}
    if check.name == "str_length":
        return f"at most {limits['max_value']:,} characters"
    if check.name == "isin":
        return _join_words(limits["allowed_values"])
    low, high = limits["min_value"], limits["max_value"]
    if isinstance(low, str):
        return f"{low} to {high}"
    return f"{low:,.12g} to {high:,.12g}" if high < MAX_SHOWN_LIMIT else f"from {low:,.12g}"


def _join_words(allowed: Sequence[str]) -> str:
    if len(allowed) > MAX_LISTED_WORDS:
        return f"{len(allowed)} codes, such as `{allowed[0]}`"
    return " ".join(f"`{word}`" for word in allowed)


def _list_exemptions(column: pa.Column) -> Iterator[str]:
    if column.nullable:
        yield "null"
    if not column.required:
        yield "absent"


if __name__ == "__main__":
    sys.stdout.write(contract_page())
