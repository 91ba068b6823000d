"""The import of small made-up sources: where lines go, and what the tables hold."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contract.columns import column_kind
from features.contract.tables import TABLE_BY_NAME
from features.importers.online_retail.buyers import PUBLISHED_KEY, buyer_key
from features.importers.online_retail.importer import ImportResult, import_lines
from features.importers.online_retail.report import REASONS, WITH_OWN_KEY, WITH_PUBLISHED_KEY
from features.importers.online_retail.source import SOURCE_NAMES, EmptySourceError
from features.importers.online_retail.summary import describe
from features.runtime.progress import ProgressCallback, ignore_progress
from tests.worlds.progress import Reports

UK = "United Kingdom"


class Row(NamedTuple):
    invoice: str | None = "1"
    code: str | None = "10"
    description: str | None = "RED MUG"
    quantity: float | None = 6.0
    time: str | None = "2011-01-03 10:00:00"
    price: float | None = 2.5
    customer: float | None = 17850.0
    country: str | None = UK


KINDS = (
    *(pa.string(), pa.string(), pa.string(), pa.float64()),
    *(pa.string(), pa.float64(), pa.float64(), pa.string()),
)


def source(*rows: Row) -> pa.Table:
    values = zip(*rows, strict=True) if rows else ((),) * len(KINDS)
    columns = [pa.array(column, type=kind) for column, kind in zip(values, KINDS, strict=True)]
    return pa.table(columns, names=list(SOURCE_NAMES))


def imported(
    *rows: Row, key: bytes = PUBLISHED_KEY, progress: ProgressCallback = ignore_progress
) -> ImportResult:
    return import_lines(source(*rows), key=key, source_sha256="0" * 64, progress=progress)


def frame(result: ImportResult, name: str) -> pd.DataFrame:
    table: pd.DataFrame = result.tables[name].to_pandas()
    return table


def check_contract(result: ImportResult) -> None:
    for name, imported_table in result.tables.items():
        table = TABLE_BY_NAME[name]
        kinds = {
            column: column_kind(table.columns[column]).value
            for column in imported_table.column_names
        }
        table.schema.validate(imported_table.to_pandas().astype(kinds), lazy=True)
        assert not imported_table.to_pandas().duplicated(list(table.key)).any()


SALE = Row(invoice="0", code="99", time="2010-12-01 09:00:00")
"""A sale that has nothing to do with the line looked at, so that there is an import at all."""


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Row(code="POST"), "postage"),
        (Row(code="dot"), "postage"),
        (Row(code="C2"), "postage"),
        (Row(code="23444", description="Next Day Carriage"), "postage"),
        (Row(code="m"), "manual_entry"),
        (Row(invoice="C1", code="D", quantity=-1.0), "discount"),
        (Row(code="S"), "sample"),
        (Row(code="BANK CHARGES"), "bank_charge"),
        (Row(code="AMAZONFEE"), "marketplace_fee"),
        (Row(code="CRUK"), "charity_commission"),
        (Row(code="gift_0001_20"), "gift_voucher"),
        (Row(code="PADS", price=0.001), "placeholder"),
        (Row(code="23574"), "packing"),
        (Row(code="B"), "bad_debt"),
        (Row(invoice="A563185"), "bad_debt"),
        (Row(quantity=-4.0, price=0.0), "stock_adjustment"),
        (Row(quantity=0.0), "stock_adjustment"),
        (Row(price=0.0), "price_not_positive"),
        (Row(price=-11.0), "price_not_positive"),
        (Row(price=0.004), "price_not_positive"),
        (SALE, "duplicate_line"),
        (SALE._replace(description=" RED  MUG"), "duplicate_line"),
        (Row(country="Unspecified"), "country_not_iso"),
        (Row(country="Channel Islands"), "country_not_iso"),
        (Row(country=None), "country_not_iso"),
        (Row(invoice="C1"), "cancellation_not_negative"),
        (Row(invoice="C1", quantity=-1.0, customer=None), "cancellation_without_customer"),
        (Row(invoice="C1", quantity=-1.0), "cancellation_without_purchase"),
        (Row(invoice="C1", code="99", quantity=-7.0), "cancellation_exceeds_purchases"),
        (Row(invoice=None), "invoice_malformed"),
        (Row(code="1; OR 1=1"), "product_malformed"),
        (Row(quantity=0.5), "units_malformed"),
        (Row(price=None), "price_malformed"),
        (Row(time="2011-13-45 99:00:00"), "time_malformed"),
    ],
)
def test_import_line_that_is_not_kept_has_its_one_reason(row: Row, reason: str) -> None:
    report = imported(SALE, row).report
    assert report.removed | report.quarantined == {reason: 1}
    assert (report.lines.read, report.lines.orders) == (2, 1)
    assert reason in describe(report)


def test_import_reasons_are_all_tested_above() -> None:
    table = test_import_line_that_is_not_kept_has_its_one_reason.pytestmark[0]  # type: ignore[attr-defined]  # pytest puts it there
    assert {reason for _, reason in table.args[1]} == set(REASONS)


def test_import_of_a_purchase_and_a_return_makes_the_five_tables() -> None:
    result = imported(
        Row("536365", "85123a", "WHITE HEART", 6.0, "2011-06-01 08:26:00", 2.55, 17850.0, UK),
        Row("536365", "POST", "POSTAGE", 1.0, "2011-06-01 08:26:00", 18.0, 17850.0, UK),
        Row("536365", "85123A", "HEART, WHITE", 2.0, "2011-06-01 08:26:00", 2.1, 17850.0, UK),
        Row("C536379", "85123A", "WHITE HEART", -3.0, "2011-06-03 09:41:00", 2.55, 17850.0, UK),
    )
    check_contract(result)
    buyer = buyer_key("17850", PUBLISHED_KEY)
    bought, returned = datetime(2011, 6, 1, 7, 26), datetime(2011, 6, 3, 8, 41)  # noqa: DTZ001 - naive UTC
    tables = {name: table.to_pylist() for name, table in result.tables.items()}
    nothing = ("unit_cost_minor", "currency", "weight_g", "volume_cm3", "material")
    assert tables["products"] == [
        {
            "product_id": "85123A",
            "supplier_id": None,
            "title": "WHITE HEART",
            "category": "decorations_and_ornaments",
            "parent_category": "home",
            **dict.fromkeys(nothing),
        }
    ]
    assert tables["listings"] == [
        {
            "listing_id": "GB-85123A",
            "product_id": "85123A",
            "market": "GB",
            "mode": None,
            "listed_at": bought,
            "list_price_minor": 255,
            "currency": "GBP",
        }
    ]
    day_over = datetime(2011, 6, 2)  # noqa: DTZ001 - naive UTC
    assert tables["prices"] == [
        {
            "listing_id": "GB-85123A",
            "price_minor": 210,
            "event_time": day_over,
            "available_at": day_over,
        }
    ]
    one = {"order_id": "536365", "listing_id": "GB-85123A", "buyer_key": buyer}
    when = {"event_time": bought, "available_at": bought}
    assert tables["orders"] == [
        {"order_line_id": "536365-0001", **one, "units": 6, "unit_price_minor": 255, **when},
        {"order_line_id": "536365-0003", **one, "units": 2, "unit_price_minor": 210, **when},
    ]
    when = {"event_time": returned, "available_at": returned}
    assert tables["returns"] == [
        {"order_line_id": "536365-0001", "units": 1, "reason": "unspecified", **when},
        {"order_line_id": "536365-0003", "units": 2, "reason": "unspecified", **when},
    ]


def test_import_cancellations_of_one_line_at_one_time_become_one_return() -> None:
    back = Row(invoice="C2", quantity=-2.0, time="2011-01-05 10:00:00")
    result = imported(Row(), back, back._replace(quantity=-3.0), back._replace(invoice="C3"))
    check_contract(result)
    assert frame(result, "returns")["units"].to_list() == [2 + 3]
    assert result.report.lines.cancellations_matched == 2
    assert result.report.quarantined == {"cancellation_exceeds_purchases": 1}


@pytest.mark.parametrize(
    ("days", "changes"),
    [
        ([("03", [2.5])], []),
        ([("03", [2.5, 2.0, 3.0])], []),
        ([("03", [2.5, 2.0])], [("2011-01-04", 200)]),
        ([("03", [2.5]), ("04", [2.5]), ("05", [3.0, 3.0, 2.5])], [("2011-01-06", 300)]),
        (
            [("03", [2.5]), ("04", [3.0]), ("05", [2.5])],
            [("2011-01-05", 300), ("2011-01-06", 250)],
        ),
    ],
    ids=["constant", "median equals", "lower median", "a change", "there and back"],
)
def test_import_price_changes_when_the_median_of_a_day_does(
    days: list[tuple[str, list[float]]], changes: list[tuple[str, int]]
) -> None:
    rows = [
        Row(time=f"2011-01-{day} 10:00:00", price=price, quantity=float(place))
        for day, prices in days
        for place, price in enumerate(prices, 1)
    ]
    prices = frame(imported(*rows), "prices")
    assert list(zip(prices["event_time"], prices["price_minor"], strict=True)) == [
        (pd.Timestamp(day), price) for day, price in changes
    ]


def test_import_sale_at_midnight_belongs_to_the_day_that_ends() -> None:
    rows = [Row(), Row(time="2011-01-04 00:00:00", price=9.0), Row(quantity=1.0, price=9.0)]
    assert frame(imported(*rows), "prices")["event_time"].to_list() == [pd.Timestamp("2011-01-04")]


def test_import_title_is_the_first_description_known_not_the_most_frequent() -> None:
    later = "2011-01-04 10:00:00"
    rows = [
        Row(invoice="2", time=later, description="BLUE BOWL"),
        Row(invoice="3", time=later, description="BLUE BOWL"),
        Row(invoice="1", description=None),
        Row(invoice="1", description="RED MUG", quantity=1.0),
    ]
    product = frame(imported(*rows), "products").iloc[0]
    assert (product["title"], product["category"]) == ("RED MUG", "mugs_and_tea")


def test_import_product_without_any_description_has_no_title() -> None:
    product = frame(imported(Row(description=None)), "products").iloc[0]
    assert pd.isna(product["title"])
    assert product["category"] == "other"


def test_import_buyers_are_keyed_and_the_unknown_stay_unknown() -> None:
    rows = (Row(), Row(invoice="2", customer=None))
    keys = frame(imported(*rows, key=b"a key of sixteen"), "orders")["buyer_key"]
    assert keys.to_list()[0] == buyer_key("17850", b"a key of sixteen")
    assert keys.isna().to_list() == [False, True]


@pytest.mark.parametrize(
    ("key", "note"), [(PUBLISHED_KEY, WITH_PUBLISHED_KEY), (b"a key of sixteen", WITH_OWN_KEY)]
)
def test_import_report_names_the_kind_of_key(key: bytes, note: str) -> None:
    report = imported(Row(), key=key).report
    assert note in report.notes
    assert note.split(":", maxsplit=1)[0] in describe(report)


def test_import_counts_guests_and_customers_with_a_fraction() -> None:
    lines = source(*(Row(quantity=float(units)) for units in range(1, 5)))
    place = lines.schema.get_field_index("CustomerID")
    customers = pa.array(["NULL", "17850.0", "17850", "n/a"])
    mixed = lines.set_column(place, "CustomerID", customers)
    result = import_lines(mixed, key=PUBLISHED_KEY, source_sha256="0" * 64)
    buyer = buyer_key("17850", PUBLISHED_KEY)
    keys = frame(result, "orders")["buyer_key"]
    assert keys.fillna("").to_list() == ["", buyer, buyer, ""]
    assert {
        "CustomerID: words such as NULL, read as missing, in 2 lines.",
        "CustomerID: identifiers that end in .0, read without it, in 1 lines.",
    } <= set(result.report.notes)


def test_import_quarantine_keeps_the_line_but_not_the_customer() -> None:
    result = imported(SALE, Row(invoice="C7", quantity=-1.0, customer=12346.0))
    assert result.quarantine.to_pylist() == [
        {
            "row_number": 2,
            "InvoiceNo": "C7",
            "StockCode": "10",
            "Description": "RED MUG",
            "Quantity": "-1",
            "InvoiceDate": "2011-01-03 10:00:00",
            "UnitPrice": "2.5",
            "Country": UK,
            "buyer_key": buyer_key("12346", PUBLISHED_KEY),
            "reason": "cancellation_without_purchase",
        }
    ]


@pytest.mark.parametrize("rows", [(), (Row(code="POST"), Row(country="Unspecified"))])
def test_import_without_a_sale_is_refused(rows: tuple[Row, ...]) -> None:
    with pytest.raises(EmptySourceError, match=r"no lines|is a sale of a product"):
        imported(*rows)


def test_import_reports_its_stages() -> None:
    reports = Reports()
    imported(Row(), progress=reports)
    assert reports.stages == [
        "Reading 1 lines",
        "Matching cancellations to purchases",
        "Making tables",
    ]


MOMENTS = [f"2011-03-{day} {clock}:00" for day in (25, 26, 28) for clock in ("00:00", "10:00")]
sales = st.builds(
    Row,
    invoice=st.sampled_from(["1", "2"]),
    code=st.sampled_from(["10", "10a", "20"]),
    description=st.sampled_from(["RED MUG", "BLUE BOWL", None]),
    quantity=st.sampled_from([2.0, 4.0]),
    time=st.sampled_from(MOMENTS),
    price=st.sampled_from([2.0, 2.5]),
    customer=st.sampled_from([1.0, 2.0, None]),
    country=st.sampled_from([UK, "EIRE"]),
)
others = st.builds(
    Row,
    invoice=st.sampled_from(["1", "C1", "A1", None]),
    code=st.sampled_from(["10", "POST", "!", None]),
    quantity=st.sampled_from([-1.0, 0.0, 0.5, 1.0, None]),
    time=st.sampled_from([*MOMENTS, "2011-03-27 01:30:00"]),
    price=st.sampled_from([-1.0, 0.0, 0.004, 1.0, None]),
    customer=st.sampled_from([1.0, None]),
    country=st.sampled_from([UK, "Unspecified", None]),
)


def with_more(sold: list[Row]) -> st.SearchStrategy[list[Row]]:
    """Add cancellations of what was sold, and lines that are neither."""
    cancellations = st.builds(
        lambda row, time, units: row._replace(invoice="C1", time=time, quantity=-units),
        st.sampled_from(sold),
        st.sampled_from(MOMENTS[2:]),
        st.sampled_from([1.0, 2.0, 3.0]),
    )
    more = st.lists(st.one_of(cancellations, cancellations, others), max_size=12)
    return more.map(lambda added: [*sold, *added])


random_rows = st.lists(sales, min_size=1, max_size=12).flatmap(with_more)
few_examples = settings(max_examples=30, deadline=None)


def sorted_by_time(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row.time))


def check_sums(result: ImportResult) -> None:
    report = result.report
    counts = report.lines
    kept = counts.orders + counts.cancellations_matched
    assert counts.read == kept + counts.removed + counts.quarantined
    assert counts.orders == result.tables["orders"].num_rows
    assert counts.removed == sum(report.removed.values())
    assert counts.quarantined == sum(report.quarantined.values()) == result.quarantine.num_rows


def check_returns(result: ImportResult) -> None:
    returns, orders = frame(result, "returns"), frame(result, "orders").set_index("order_line_id")
    bought = orders.loc[returns["order_line_id"]]
    assert (bought["event_time"].to_numpy() < returns["event_time"].to_numpy()).all()
    returned = returns.groupby("order_line_id")["units"].sum()
    assert (returned <= orders["units"].loc[returned.index]).all()


@few_examples
@given(random_rows)
def test_import_of_random_lines_loses_none_and_meets_the_contract(rows: list[Row]) -> None:
    result = imported(SALE, *rows)
    assert result.report.lines.read == len(rows) + 1
    check_sums(result)
    check_contract(result)
    check_returns(result)


@few_examples
@given(random_rows, st.sampled_from([26, 27, 28]))
def test_import_of_the_lines_until_a_midnight_is_a_part_of_the_import_of_all(
    rows: list[Row], day: int
) -> None:
    rows = sorted_by_time(rows)
    until = pd.Timestamp(f"2011-03-{day}")
    whole = imported(SALE, *rows)
    part = imported(SALE, *(row for row in rows if str(row.time) <= str(until)))
    moments = dict.fromkeys(("orders", "returns", "prices"), "event_time")
    for name, moment in (moments | {"listings": "listed_at"}).items():
        complete = frame(whole, name)
        known = complete[complete[moment] <= until].reset_index(drop=True)
        pd.testing.assert_frame_equal(known, frame(part, name), check_dtype=False)


def test_import_of_equal_lines_is_equal_and_of_another_key_differs_in_buyers_alone() -> None:
    rows = (Row(), Row(invoice="2", price=3.0), Row(invoice="C3", quantity=-20.0))
    first, second = imported(*rows), imported(*rows)
    assert first == second
    other = imported(*rows, key=b"a key of sixteen")
    assert [name for name in first.tables if first.tables[name] != other.tables[name]] == ["orders"]
    assert first.tables["orders"].drop(["buyer_key"]) == other.tables["orders"].drop(["buyer_key"])
