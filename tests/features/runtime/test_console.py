"""Results are whole at any width: no number and no word of a table is cut."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from features.catalogue.catalogue import CATALOGUE
from features.catalogue.choose import FeatureFilter, choose
from features.catalogue.view import list_view
from features.runtime.console import fit, print_results
from features.validation.report import TableReport, ValidationReport
from features.validation.report_page import report_page

COUNTS = (152_346_911, 152_345_001, 1_234, 676)


def check_report() -> ValidationReport:
    """Return the report of a check of many rows."""
    read, valid, dropped, quarantined = COUNTS
    table = TableReport(
        name="supplier_audits",
        rows_read=read,
        rows_valid=valid,
        rows_dropped=dropped,
        rows_quarantined=quarantined,
        quarantined=(),
        first_event=None,
        last_event=None,
        null_available_at=0,
        warnings=(),
    )
    return ValidationReport(
        source="a[bold]b:smile:", tables=(table,), absent=(), ignored=(), ignored_more=0
    )


def shown(results: RenderableType, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True, markup=False, emoji=False)
    console.print(fit(results, console))
    return console.export_text()


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 100, 200])
def test_numbers_of_a_check_are_whole_on_a_terminal_of_any_width(width: int) -> None:
    page = shown(report_page(check_report()), width)
    assert all(f"{count:,}" in page for count in COUNTS)
    assert "…" not in page
    assert max(map(len, page.splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 120, 140, 200])
def test_words_of_a_list_of_features_are_whole_on_a_terminal_of_any_width(width: int) -> None:
    features = choose(CATALOGUE, FeatureFilter(family="returns"))
    page = shown(list_view(features), width)
    words = set(re.split(r"[\s;]+", page))
    assert {feature.declared.name for feature in features} <= words
    assert "…" not in page


def test_table_that_fits_is_printed_as_it_is() -> None:
    table = Table("name", "rows", title="All", caption="Done")
    table.add_row("orders", "1,234")
    assert fit(table, Console(width=80)) is table


def test_table_too_wide_becomes_a_list_of_its_rows() -> None:
    table = Table("name", "rows\nread", "note", "", title="All", caption="Done")
    table.add_row("orders", Text("152,345"), "", "x" * 9)
    assert shown(Group(table), 20).splitlines() == [
        "All",
        "orders  rows read ",
        "152,345; xxxxxxxxx",
        "Done",
    ]


def test_results_in_a_pipe_are_as_wide_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(box=None)
    for place in range(40):
        table.add_column(f"a long heading {place}")
    sentence = "word " * 200
    print_results(Group(table, Text(sentence), Padding.indent(Text("a[b]"), 2)))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(f"a long heading {place}" in lines[0] for place in range(40))
    assert lines[1].strip() == sentence.strip()
    assert lines[2].rstrip() == "  a[b]"


def test_names_that_look_like_markup_are_printed_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_results(report_page(check_report()))
    assert capsys.readouterr().out.startswith("a[bold]b:smile:: 1 table")
