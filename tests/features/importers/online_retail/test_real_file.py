"""The import of the real Online Retail: exact counts, and the contract met."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import pytest

from features.contract.columns import ColumnKind
from features.contract.tables import TABLE_BY_NAME
from features.importers.online_retail.buyers import PUBLISHED_KEY
from features.importers.online_retail.importer import ImportResult, import_lines
from features.importers.online_retail.report import REASONS, LineCounts
from features.importers.online_retail.source import digest, read_source

FILE: Final = (
    Path(__file__).parents[5] / "shared" / "data" / "online_retail" / "online_retail.parquet"
)
PAGE: Final = Path(__file__).parents[4] / "docs" / "online_retail.md"
KNOWN_SHA256: Final = "8b06d78c359ff59aad96a76e5e5d05872e78d8b448b4404890885657d306336e"

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="the Online Retail data set isn't at ../shared/data/online_retail"
)


@pytest.fixture(scope="module")
def real() -> ImportResult:
    sha256 = digest(FILE)
    assert sha256 == KNOWN_SHA256, "another copy of the data set: its counts may differ"
    return import_lines(read_source(FILE), key=PUBLISHED_KEY, source_sha256=sha256)


def test_real_import_counts_add_up_exactly(real: ImportResult) -> None:
    counts = real.report.lines
    assert counts == LineCounts(
        read=541_909,
        orders=521_198,
        cancellations_matched=7_386,
        removed=10_804,
        quarantined=2_521,
    )
    assert counts.read == (
        counts.orders + counts.cancellations_matched + counts.removed + counts.quarantined
    )
    assert counts.orders == real.tables["orders"].num_rows
    assert counts.quarantined == real.quarantine.num_rows


def test_real_import_removes_and_quarantines_for_these_reasons(real: ImportResult) -> None:
    assert real.report.removed == {
        "bad_debt": 3,
        "postage": 2_191,
        "packing": 17,
        "manual_entry": 572,
        "discount": 77,
        "sample": 63,
        "bank_charge": 37,
        "marketplace_fee": 34,
        "charity_commission": 16,
        "gift_voucher": 35,
        "placeholder": 8,
        "duplicate_line": 5_262,
        "stock_adjustment": 1_336,
        "price_not_positive": 1_153,
    }
    assert real.report.quarantined == {
        "country_not_iso": 1_242,
        "cancellation_without_customer": 162,
        "cancellation_without_purchase": 1_037,
        "cancellation_exceeds_purchases": 80,
    }


def test_real_import_tables_have_these_rows(real: ImportResult) -> None:
    assert real.report.rows == {
        "products": 3_794,
        "listings": 18_669,
        "prices": 87_088,
        "orders": 521_198,
        "returns": 7_482,
    }
    assert len(real.report.markets) == 35


@pytest.mark.parametrize("name", ["products", "listings", "prices", "orders", "returns"])
def test_real_import_table_meets_the_contract(real: ImportResult, name: str) -> None:
    table = TABLE_BY_NAME[name]
    frame: pd.DataFrame = real.tables[name].to_pandas()
    kinds = {
        column: ColumnKind[table.columns[column].metadata["kind"]].value for column in frame.columns
    }
    table.schema.validate(frame.astype(kinds), lazy=True)
    assert not frame.duplicated(list(table.key)).any()


def test_real_import_returns_come_after_their_order_and_never_exceed_it(real: ImportResult) -> None:
    orders = real.tables["orders"].to_pandas().set_index("order_line_id")
    returns = real.tables["returns"].to_pandas()
    bought = orders.loc[returns["order_line_id"]]
    assert (bought["event_time"].to_numpy() < returns["event_time"].to_numpy()).all()
    returned = returns.groupby("order_line_id")["units"].sum()
    assert (returned <= orders["units"].loc[returned.index]).all()


def test_real_import_matched_units_are_those_the_cancellations_name(real: ImportResult) -> None:
    source = read_source(FILE).to_pandas()
    cancelled = source.drop_duplicates()
    cancelled = cancelled[cancelled["InvoiceNo"].str.startswith("C")]
    quarantined = real.quarantine.to_pandas()
    quarantined = quarantined[quarantined["reason"].str.startswith("cancellation")]
    is_product = cancelled["StockCode"].str.match(r"^(\d{5}|DCGS)") & ~cancelled["StockCode"].isin(
        ["23444", "23574", "22016", "23702"]
    )
    named = -cancelled.loc[is_product, "Quantity"].sum()
    refused = -quarantined["Quantity"].astype(float).sum()
    returned = real.tables["returns"].to_pandas()["units"].sum()
    assert returned == named - refused


def test_real_import_puts_few_products_into_no_category(real: ImportResult) -> None:
    categories = real.tables["products"].to_pandas()["category"]
    assert (categories == "other").sum() == 10
    assert categories.nunique() == 34
    assert categories.value_counts(normalize=True).max() < 0.1


def test_real_import_page_names_each_reason_with_its_count(real: ImportResult) -> None:
    page = PAGE.read_text()
    counts = real.report.removed | real.report.quarantined
    for name, count in counts.items():
        assert f"| {count:,} | `{name}` |" in page
    assert [name for name in REASONS if f"`{name}`" not in page] == []
