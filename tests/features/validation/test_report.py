"""The report: it adds up or isn't made, and stays short and harmless whatever it tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from features.validation.report import (
    QuarantineReason,
    TableReport,
    ValidationReport,
    has_report,
    read_report,
)
from features.validation.report_page import report_page

MOMENT = datetime(2024, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None)
ORDERS = TableReport(
    name="orders",
    rows_read=1_000_010,
    rows_valid=1_000_000,
    rows_dropped=3,
    rows_quarantined=7,
    quarantined=(
        QuarantineReason("units: missing", 2, (4, 1005)),
        QuarantineReason("no_valid_listing", 6, (1, 2, 3, 4, 5)),
    ),
    first_event=MOMENT,
    last_event=MOMENT,
    warnings=("columns not in the contract, ignored: [bold]x[/bold]",),
)
REPORT = ValidationReport(source="data", tables=(ORDERS,), absent=("prices",), ignored=("a.txt",))


def page(report: ValidationReport, width: int = 100) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(report_page(report))
    return captured.get()


@pytest.mark.parametrize("change", [{"rows_read": 1}, {"rows_valid": 0}, {"rows_dropped": 0}])
def test_report_that_does_not_add_up_is_not_made(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"orders: [0-9]+ rows read, [0-9]+ counted"):
        replace(ORDERS, **change)  # type: ignore[arg-type]  # each changed field is a number


def test_report_page_warns_of_a_table_that_is_mostly_bad() -> None:
    bad = replace(ORDERS, rows_read=13, rows_valid=4, rows_quarantined=6)
    verdict = page(replace(REPORT, tables=(bad,))).splitlines()[-1]
    assert verdict.endswith(", most rows of orders: repair them before you use the others.")


def test_report_page_shows_counts_reasons_and_warnings() -> None:
    assert [line.rstrip() for line in page(REPORT).splitlines()] == [
        "data: 1 table",
        "table   rows read      valid  duplicates  quarantined  events from  to",
        "orders  1,000,010  1,000,000           3            7  2024-03-01   2024-03-01",
        "",
        "Quarantined (rows are counted from 1, without the header)",
        (
            "  orders  6  no_valid_listing: no valid row of listings has its listing_id"
            "  (rows 1, 2, 3, 4, 5, …)"
        ),
        "  orders  2  units: missing  (rows 4, 1005)",
        "",
        "Warnings",
        "  orders  columns not in the contract, ignored: [bold]x[/bold]",
        "",
        "Other tables and files",
        "  Absent optional tables: prices.",
        "  Ignored, not in the contract: a.txt.",
        "",
        "7 of 1,000,010 rows are quarantined; the others can be used.",
    ]


def test_report_page_of_valid_rows_is_one_verdict() -> None:
    valid = TableReport(
        name="orders", rows_read=5, rows_valid=5, rows_dropped=0, rows_quarantined=0
    )
    text = page(ValidationReport(source="data", tables=(valid,), absent=()))
    assert text.splitlines()[-1] == "All rows are valid."
    assert "Quarantined" not in text
    assert "Warnings" not in text


def test_report_page_of_hostile_names_stays_short_and_harmless() -> None:
    reasons = tuple(QuarantineReason(f"reason {i}", 7, (1, 2, 3, 4, 5)) for i in range(60))
    hostile = ValidationReport(
        source="\x1b[31m" + "x" * 500,
        tables=(replace(ORDERS, quarantined=reasons),) * 15,
        absent=(),
        ignored=tuple(f"\x1b[2J{i}" + "y" * 300 for i in range(20)),
        ignored_more=10**6,
    )
    text = page(hostile)
    assert "\x1b" not in text
    assert "and 1,000,000 more." in text
    assert "and 52 more reasons, in report.json" in text
    assert len(text.splitlines()) < 15 * 12 + 40


def test_report_as_json_has_a_format_and_utc_times() -> None:
    document = json.loads(REPORT.to_json())
    assert document["format"] == "xuanpin-check/1"
    assert document["tables"][0]["first_event"] == "2024-03-01T12:00:00Z"
    assert document["tables"][0]["quarantined"][0] == {
        "reason": "units: missing",
        "rows": 2,
        "examples": [4, 1005],
    }
    assert document["absent"] == ["prices"]


def test_report_finds_a_table_by_its_name() -> None:
    assert REPORT.table("orders") is ORDERS
    with pytest.raises(KeyError):
        REPORT.table("prices")


@pytest.mark.parametrize(
    ("text", "is_report"),
    [(REPORT.to_json(), True), ('{"format": "other"}', False), ("[]", False), ("{", False)],
)
def test_report_of_another_program_is_not_recognised(
    tmp_path: Path, text: str, is_report: object
) -> None:
    assert not has_report(tmp_path)
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    assert has_report(tmp_path) is is_report


def test_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    timeless = TableReport(
        name="products", rows_read=1, rows_valid=1, rows_dropped=0, rows_quarantined=0
    )
    report = replace(REPORT, tables=(timeless, ORDERS), ignored_more=3)
    (tmp_path / "report.json").write_text(report.to_json(), encoding="utf-8")
    assert read_report(tmp_path) == report
