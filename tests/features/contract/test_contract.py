"""The contract's declarations agree with each other, and its page with them."""

from __future__ import annotations

from pathlib import Path

import pandera.pandas as pa
import pytest

from features.contract.columns import ColumnKind, Privacy, Table, column_kind, column_privacy
from features.contract.page import contract_page
from features.contract.tables import TABLES
from features.validation.table_rules import RULES

PAGE = Path(__file__).parents[3] / "docs" / "contract.md"
COLUMNS = [
    pytest.param(table, name, column, id=f"{table.name}.{name}")
    for table in TABLES
    for name, column in table.columns.items()
]


def test_contract_page_is_what_the_declarations_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == contract_page()


def test_contract_requires_products_listings_and_orders_alone() -> None:
    required = [table.name for table in TABLES if table.is_required]
    assert required == ["products", "listings", "orders"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_contract_keys_are_columns_that_every_row_has(table: Table) -> None:
    columns = [table.columns[name] for name in table.key]
    assert columns
    assert all(column.required and not column.nullable for column in columns)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_contract_rules_check_the_key_of_each_table(table: Table) -> None:
    reasons = [rule.reason for rule in RULES if rule.table is table]
    assert reasons[:2] == ["identical_duplicate", "conflicting_duplicate"]
    assert ("available_before_it_happened" in reasons) == table.is_event


@pytest.mark.parametrize(("table", "name", "column"), COLUMNS)
def test_contract_columns_say_what_they_are(table: Table, name: str, column: pa.Column) -> None:
    assert column.description
    assert column.nullable or column.required, "an absent column is null"
    assert ("event_time" in table.columns) == ("available_at" in table.columns)
    has_unit = column_kind(column) in {ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.TIME}
    assert bool(column.metadata and column.metadata["unit"]) == has_unit
    assert (column_privacy(column) is Privacy.PSEUDONYM) == (name == "buyer_key")
    assert not name.endswith("_minor") or column_privacy(column) is Privacy.BUSINESS
