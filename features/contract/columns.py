"""Declare tables of the contract: kinds of columns, their checks and their privacy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pandera.pandas as pandera
import pyarrow as pa
import pycountry


class ColumnKind(StrEnum):
    """What a column holds; the value is the pandas dtype of its validated form."""

    TEXT = "str"
    INTEGER = "Int64"
    NUMBER = "float64"
    FLAG = "boolean"
    TIME = "datetime64[us]"


ARROW_TYPES: Final = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.FLAG: pa.bool_(),
    ColumnKind.TIME: pa.timestamp("us"),
}
"""The stored type of a validated column; times are naive UTC."""


class Privacy(StrEnum):
    """Who may see a column, from everybody to nobody outside the source tables."""

    OPEN = "open"  # public in the shop
    BUSINESS = "business"  # confidential to the business, not about a person
    PSEUDONYM = "pseudonym"  # a keyed hash of a person: for joins only, never shown
    FREE_TEXT = "free_text"  # may hold personal data: never a feature, never logged


MARKETS: Final = frozenset(country.alpha_2 for country in pycountry.countries)
CURRENCIES: Final = frozenset(currency.alpha_3 for currency in pycountry.currencies)
NOT_ALLOWED: Final = "not one of the allowed words"
MONEY_UNIT: Final = "minor currency units"

MAX_MONEY: Final = 10**10
"""A hundred million in a currency with two decimals: a higher price comes from a broken export."""

EARLIEST: Final = "2000-01-01"
LATEST: Final = "2100-01-01"
"""Times outside these limits come from broken clocks or sentinels (year 1 or 9999)."""


def column_kind(column: pandera.Column) -> ColumnKind:
    """Return what a declared column holds."""
    return ColumnKind[column.metadata["kind"]]


def column_privacy(column: pandera.Column) -> Privacy:
    """Return who may see a declared column."""
    return Privacy(column.metadata["privacy"])


def is_identifier(column: pandera.Column) -> bool:
    """Return True for a column whose texts are identifiers; features/cells/ reads them."""
    return bool(column.metadata["is_identifier"])


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the contract.

    `schema` holds one pandera column per contract column, with its description and, in `metadata`,
    its kind, unit and privacy. `row` describes one row. `key` names the columns that identify a
    row. An event table has `event_time` and `available_at`.
    """

    name: str
    row: str
    key: tuple[str, ...]
    schema: pandera.DataFrameSchema
    is_required: bool = False

    @property
    def columns(self) -> dict[str, pandera.Column]:
        """Return the columns by name, in contract order."""
        return dict(self.schema.columns)

    @property
    def is_event(self) -> bool:
        """Return True if rows have a time when they happen and a time when they become known."""
        return "available_at" in self.schema.columns


def declare(  # noqa: PLR0913 - one argument for each fact of a column
    kind: ColumnKind,
    description: str,
    *,
    unit: str = "",
    privacy: Privacy = Privacy.OPEN,
    checks: tuple[pandera.Check, ...] = (),
    nullable: bool = False,
    required: bool = True,
    is_identifier: bool = False,
) -> pandera.Column:
    """Declare one column; with `required=False` the source may lack it."""
    return pandera.Column(
        kind.value,
        checks=list(checks),
        nullable=nullable,
        required=required,
        description=description,
        metadata={
            "kind": kind.name,
            "unit": unit,
            "privacy": privacy.value,
            "is_identifier": is_identifier,
        },
    )


def identifier(
    description: str, *, nullable: bool = False, required: bool = True
) -> pandera.Column:
    """Declare an identifier; see `features.cells.identifiers`."""
    return declare(
        ColumnKind.TEXT, description, nullable=nullable, required=required, is_identifier=True
    )


def pseudonym(description: str) -> pandera.Column:
    """Declare a keyed hash of a person; null means unknown."""
    return declare(
        ColumnKind.TEXT,
        description,
        nullable=True,
        privacy=Privacy.PSEUDONYM,
        is_identifier=True,
    )


def free_text(description: str) -> pandera.Column:
    """Declare an optional free text: at most 2,000 characters."""
    check = pandera.Check.str_length(0, 2_000, error="longer than 2,000 characters")
    return declare(
        ColumnKind.TEXT,
        description,
        checks=(check,),
        nullable=True,
        required=False,
        privacy=Privacy.FREE_TEXT,
    )


def choice(description: str, allowed: frozenset[str], *, nullable: bool = False) -> pandera.Column:
    """Declare a word of a closed list."""
    check = pandera.Check.isin(sorted(allowed), error=NOT_ALLOWED)
    return declare(ColumnKind.TEXT, description, checks=(check,), nullable=nullable)


def count(description: str, *, unit: str, minimum: int = 0, maximum: int = 10**9) -> pandera.Column:
    """Declare a whole number within limits, both included."""
    check = pandera.Check.in_range(minimum, maximum, error=f"outside {minimum:,} to {maximum:,}")
    return declare(ColumnKind.INTEGER, description, unit=unit, checks=(check,))


def money(description: str, *, nullable: bool = False, minimum: int = 1) -> pandera.Column:
    """Declare an amount in minor units of the row's currency."""
    check = pandera.Check.in_range(minimum, MAX_MONEY, error=f"outside {minimum} to {MAX_MONEY:,}")
    return declare(
        ColumnKind.INTEGER,
        description,
        unit=MONEY_UNIT,
        checks=(check,),
        nullable=nullable,
        privacy=Privacy.BUSINESS,
    )


def number(  # noqa: PLR0913 - one argument for each fact of a column
    description: str,
    *,
    unit: str,
    low: float,
    high: float,
    nullable: bool = False,
    required: bool = True,
) -> pandera.Column:
    """Declare a real number within limits, both included."""
    check = pandera.Check.in_range(low, high, error=f"outside {low:,} to {high:,}")
    return declare(
        ColumnKind.NUMBER,
        description,
        unit=unit,
        checks=(check,),
        nullable=nullable,
        required=required,
    )


def flag(description: str) -> pandera.Column:
    """Declare a truth value."""
    return declare(ColumnKind.FLAG, description)


def moment(description: str, *, nullable: bool = False) -> pandera.Column:
    """Declare a UTC time between `EARLIEST` and `LATEST`, in microseconds."""
    check = pandera.Check.in_range(EARLIEST, LATEST, error=f"outside {EARLIEST} to {LATEST}")
    return declare(ColumnKind.TIME, description, unit="UTC", checks=(check,), nullable=nullable)


EVENT_COLUMNS: Final = {
    "event_time": moment("when it happened"),
    "available_at": moment("when it could first be known; null: never visible", nullable=True),
}
