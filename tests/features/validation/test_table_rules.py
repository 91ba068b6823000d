"""Rules across rows and tables: a table of what goes and why, and slow readings of two rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.validation.fault_ledger import IDENTICAL_DUPLICATE
from features.validation.report import ValidationReport
from features.validation.table_rules import CUT_OFF_AVAILABILITY, MEANINGS, RULES
from features.validation.validate import validate
from tests.worlds.sources import (
    Row,
    Source,
    day,
    event,
    order,
    required_source,
    return_row,
    small_source,
    write_parquet,
)

COUNTERS = dict.fromkeys(("views", "likes", "comments", "shares", "saves", "clicks"), 5)
HAPPENED = day(0.5).replace(minute=3, second=9, microsecond=500_000)
Gone = dict[str, dict[str, tuple[int, ...]]]


def checked(directory: Path, source: Source) -> ValidationReport:
    return validate(write_parquet(directory / "data", source), directory / "out")


def gone(report: ValidationReport) -> Gone:
    """Return the first quarantined row numbers by table and reason."""
    by_table = {
        table.name: {found.reason: found.examples for found in table.quarantined}
        for table in report.tables
    }
    return {name: reasons for name, reasons in by_table.items() if reasons}


def test_every_code_of_a_rule_has_a_meaning() -> None:
    codes = {rule.reason for rule in RULES if " " not in rule.reason} - {IDENTICAL_DUPLICATE}
    assert codes == MEANINGS.keys()


def test_relations_of_the_small_source_find_nothing(tmp_path: Path) -> None:
    report = checked(tmp_path, small_source())
    assert gone(report) == {}
    assert [table.rows_dropped for table in report.tables] == [0] * 15


LISTING: Row = small_source()["listings"][0]
VIDEO: Row = small_source()["videos"][0]

CASES: dict[str, tuple[Source, Gone]] = {
    # H31: duplicate order lines that differ.
    "conflicting order lines": (
        {"orders": [order("l1"), order("l1", units=3), order("l9")]},
        {"orders": {"conflicting_duplicate": (1, 2)}},
    ),
    "an identical copy among conflicting order lines": (
        {"orders": [order("l1"), order("l1"), order("l1", units=3), order("l9")]},
        {"orders": {"conflicting_duplicate": (1, 3)}},
    ),
    "conflicting prices of one moment": (
        {"prices": [event(0, listing_id="p1-DE", price_minor=price) for price in (5, 6)]},
        {"prices": {"conflicting_duplicate": (1, 2)}},
    ),
    "a null where the copy has a value": (
        {"orders": [order("l1"), order("l1", buyer_key=None), order("l9")]},
        {"orders": {"conflicting_duplicate": (1, 2)}},
    ),
    "a product that is not there, and all that hangs on it": (
        {
            "listings": [LISTING, {**LISTING, "listing_id": "p9-DE", "product_id": "p9"}],
            "orders": [order("l1"), order("l2", "p9-DE")],
            "returns": [return_row("l2", 9)],
            "videos": [{**VIDEO, "listing_id": "p9-DE"}],
            "video_stats": [event(2, video_id="v1", **COUNTERS)],
        },
        {
            "listings": {"no_valid_product": (2,)},
            "orders": {"no_valid_listing": (2,)},
            "returns": {"no_valid_order_line": (1,)},
            "videos": {"no_valid_listing": (1,)},
            "video_stats": {"no_valid_video": (1,)},
        },
    ),
    "a listing that is not there": (
        {
            "prices": [event(0, listing_id="x", price_minor=1)],
            "stock": [event(0, listing_id="x", on_hand_units=1, inbound_units=0)],
            "reviews": [event(8, review_id="r1", listing_id="x", rating=4, has_media=True)],
            "localisation": [event(0, listing_id="x", attribute="language", value=1.0)],
            "policy_events": [event(5, listing_id="x", kind="data", severity=1)],
        },
        {
            table: {"no_valid_listing": (1,)}
            for table in ("prices", "stock", "reviews", "localisation", "policy_events")
        },
    ),
    "counters of videos without any video": (
        {"video_stats": [event(2, video_id="v1", **COUNTERS)]},
        {"video_stats": {"no_valid_video": (1,)}},
    ),
    "a currency that is not the market's": (
        {
            "listings": [
                {**LISTING, "listing_id": name, "currency": currency}
                for name, currency in (("a", "USD"), ("p1-DE", "EUR"), ("b", "EUR"))
            ],
            "orders": [order("l1"), order("l2", "a")],
        },
        {
            "listings": {"currency_not_the_markets": (1,)},
            "orders": {"no_valid_listing": (2,)},
        },
    ),
    "two currencies equally often, the first by alphabet stays": (
        {
            "listings": [
                {**LISTING, "listing_id": name, "currency": currency}
                for name, currency in (("a", "USD"), ("p1-DE", "EUR"))
            ],
            "orders": [order("l1")],
        },
        {"listings": {"currency_not_the_markets": (1,)}},
    ),
    "deliveries without an order, before it, and with it": (
        {
            "deliveries": [
                event(4, order_line_id="x", carrier=None),
                event(0.9, order_line_id="l1", carrier=None),
                event(2, order_line_id="l2", carrier=None),
            ]
        },
        {"deliveries": {"no_valid_order_line": (1,), "before_its_order": (2,)}},
    ),
    "orders known before they happen, and known in whole seconds, minutes and days": (
        {
            "orders": [
                {**order(f"l{seconds}"), "event_time": HAPPENED, "available_at": known}
                for seconds, known in (
                    (0, HAPPENED),
                    (1, HAPPENED.replace(microsecond=0)),
                    (2, HAPPENED.replace(second=0, microsecond=0)),
                    (3, HAPPENED.replace(hour=0, minute=0, second=0, microsecond=0)),
                    (4, HAPPENED.replace(second=1)),
                )
            ]
        },
        {"orders": {CUT_OFF_AVAILABILITY: (2, 3, 4), "available_before_it_happened": (5,)}},
    ),
    # H32: returns without an order, before it, of more than bought, twice.
    "returns without an order, and before it": (
        {"returns": [return_row("x", 9), return_row("l1", 0.5), return_row("l1", 1)]},
        {"returns": {"no_valid_order_line": (1,), "before_its_order": (2,)}},
    ),
    "a return of more than bought": (
        {"returns": [return_row("l1", 9, units=3), return_row("l2", 9, units=2)]},
        {"returns": {"more_than_bought": (1,)}},
    ),
    "a line returned again after all of it came back": (
        {"returns": [return_row("l1", 12), return_row("l1", 9, units=2), return_row("l2", 9)]},
        {"returns": {"more_than_bought": (1,)}},
    ),
    "a return before its order does not count as units that came back": (
        {"returns": [return_row("l1", 0.5, units=2), return_row("l1", 9, units=2)]},
        {"returns": {"before_its_order": (1,)}},
    ),
    # H33: clocks of two sources that disagree.
    "an event known before it happened": (
        {"orders": [order("l1"), {**order("l2"), "available_at": day(0.99)}]},
        {"orders": {"available_before_it_happened": (2,)}},
    ),
    "a return of an order that was removed": (
        {
            "orders": [order("l9"), {**order("l2"), "available_at": day(0)}],
            "returns": [return_row("l2", 9)],
        },
        {
            "orders": {"available_before_it_happened": (2,)},
            "returns": {"no_valid_order_line": (1,)},
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_relations_of_a_spoilt_source_quarantine_with_the_reason(tmp_path: Path, case: str) -> None:
    spoilt, expected = CASES[case]
    assert gone(checked(tmp_path, {**required_source(), **spoilt})) == expected


def test_relations_of_identical_duplicates_drop_all_but_the_first(tmp_path: Path) -> None:
    source = required_source()
    source["orders"] = [order("l1"), order("l2"), order("l1"), order("l1")]
    report = checked(tmp_path, source)
    assert gone(report) == {}
    assert report.table("orders").rows_dropped == 2
    assert report.table("orders").rows_valid == 2


def test_relations_with_unknown_availability_keep_the_row_and_count_it(tmp_path: Path) -> None:
    source = required_source()
    source["orders"] = [order("l1"), {**order("l2"), "available_at": None}]
    report = checked(tmp_path, source)
    assert gone(report) == {}
    assert report.table("orders").null_available_at == 1


LINES = st.sampled_from(["l1", "l2", "l3", "l4"])
ORDERS = st.lists(st.tuples(LINES, st.integers(1, 3)), min_size=1, max_size=8)
RETURNS = st.lists(st.tuples(LINES, st.integers(0, 4), st.integers(1, 2)), max_size=12)


def first_copies(rows: list[Row]) -> tuple[dict[int, Row], int]:
    """Return the first of equal rows by row number, and how many others there are."""
    kept: dict[int, Row] = {}
    for number, row in enumerate(rows, start=1):
        if row not in kept.values():
            kept[number] = row
    return kept, len(rows) - len(kept)


def slow_gone(orders: list[Row], returns: list[Row]) -> Gone:
    """Apply the rules to orders and returns with loops."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    bought: dict[object, Row] = {}
    lines, _ = first_copies(orders)
    copies = Counter(row["order_line_id"] for row in lines.values())
    for number, row in lines.items():
        if copies[row["order_line_id"]] > 1:
            found["orders"]["conflicting_duplicate"].append(number)
        else:
            bought[row["order_line_id"]] = row
    back, _ = first_copies(returns)
    moments = Counter((row["order_line_id"], row["event_time"]) for row in back.values())
    units: Counter[object] = Counter()
    for number, row in sorted(back.items(), key=lambda item: (item[1]["event_time"], item[0])):
        line = row["order_line_id"]
        if moments[line, row["event_time"]] > 1:
            found["returns"]["conflicting_duplicate"].append(number)
        elif line not in bought:
            found["returns"]["no_valid_order_line"].append(number)
        elif str(row["event_time"]) < str(bought[line]["event_time"]):
            found["returns"]["before_its_order"].append(number)
        else:
            units[line] += int(str(row["units"]))
            if units[line] > int(str(bought[line]["units"])):
                found["returns"]["more_than_bought"].append(number)
    return {
        table: {reason: tuple(sorted(rows)[:5]) for reason, rows in reasons.items()}
        for table, reasons in found.items()
    }


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20
)
@given(bought=ORDERS, back=RETURNS)
def test_relations_of_random_orders_and_returns_agree_with_loops(
    tmp_path: Path, bought: list[tuple[str, int]], back: list[tuple[str, int, int]]
) -> None:
    source = required_source()
    source["orders"] = [order("sure"), *(order(line, units=units) for line, units in bought)]
    returns = [return_row(line, happened, units) for line, happened, units in back]
    if returns:
        source["returns"] = returns
    (tmp_path / "data" / "returns.parquet").unlink(missing_ok=True)
    report = checked(tmp_path, source)
    assert gone(report) == slow_gone(source["orders"], returns)
    assert report.table("orders").rows_dropped == first_copies(source["orders"])[1]
