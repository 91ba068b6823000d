from __future__ import annotations

import pytest

from serving.batch.score_file import BatchReport, RefusedRows
from serving.batch.summary import MEANINGS, describe_batch, describe_error
from serving.scoring.candidates import FORMS, Candidate

NUMBERS = ("list_price_minor", "units_offered")
ERRORS = [
    "row: wrong_number_of_cells",
    "market: unsupported_market",
    "currency: currency_mismatch",
    "listing_id: listing_mismatch",
    *(f"{field}: missing_field" for field in Candidate.__struct_fields__),
    *(f"{field}: wrong_type" for field in Candidate.__struct_fields__),
    *(f"{field}: wrong_form" for field in FORMS),
    *(f"{field}: out_of_range" for field in NUMBERS),
]


@pytest.mark.parametrize("error", ERRORS)
def test_error_of_a_row_has_a_meaning_in_sentences(error: str) -> None:
    assert describe_error(error).endswith(".")
    assert describe_error(f"{error} (has the sign @: see (1))") == describe_error(error)


def test_every_meaning_belongs_to_an_error() -> None:
    assert {describe_error(error) for error in ERRORS} == set(MEANINGS.values())


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (RefusedRows(1, [4]), "1 row (4)"),
        (RefusedRows(2, [4, 1_005]), "2 rows (4, 1,005)"),
        (RefusedRows(3_000, [1, 2, 3, 4, 5]), "3,000 rows (1, 2, 3, 4, 5 and 2,995 more)"),
    ],
)
def test_refused_rows_are_counted_and_the_first_are_named(rows: RefusedRows, text: str) -> None:
    report = BatchReport(5_000, {"market: wrong_form": rows}, unread=(), renamed={}, replaced=())
    assert list(describe_batch(report)) == [
        (
            f"Refused {text}: market: wrong_form. "
            "The market must be a country code of two capitals, for instance GB."
        ),
        "Row 1 is the first row below the header; blank lines aren't counted.",
    ]


def test_refused_rows_of_many_kinds_are_a_bounded_list() -> None:
    refused = {f"{error}": RefusedRows(count, [1]) for count, error in enumerate(ERRORS, 1)}
    lines = list(describe_batch(BatchReport(9_999, refused, (), {}, ())))
    assert len(lines) == 11
    assert lines[0].startswith(f"Refused {len(ERRORS)} rows (1 and {len(ERRORS) - 1} more)")
