"""What benchmarks share: figures with their range, verdicts, and the output."""

from __future__ import annotations

import json

import pytest

from experiments.benchmarks.results.figures import MedianRange, time_call
from experiments.benchmarks.results.output import print_benchmark
from experiments.benchmarks.results.verdicts import Verdict, verdict_documents


def test_range_is_median_least_and_greatest() -> None:
    assert MedianRange.from_values([3.0, 1.0, 10.0]) == MedianRange(3.0, 1.0, 10.0)


@pytest.mark.parametrize(
    ("values", "form", "expected"),
    [
        ([3.0, 1.0, 10.0], "{:.1f}", "3.0 (1.0 to 10.0)"),
        ([2.0], "{:.2f}", "2.00"),
        ([-0.5, 0.5], "{:+.1f}", "+0.0 (-0.5 to +0.5)"),
    ],
)
def test_range_shows_its_ends_only_where_they_differ(
    values: list[float], form: str, expected: str
) -> None:
    assert MedianRange.from_values(values).format(form) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.5, "reached: ratio 1.50, at most 1.5"), (1.501, "not reached: ratio 1.50, at most 1.5")],
)
def test_verdict_reaches_its_bound_up_to_the_bound_itself(value: float, expected: str) -> None:
    verdict = Verdict("ratio", value, 1.5)
    assert verdict.describe("{:.2f}") == expected
    (document,) = verdict_documents([verdict])
    assert document == {
        "subject": "ratio",
        "value": value,
        "maximum": 1.5,
        "is_reached": value <= 1.5,
    }


def test_time_call_returns_the_result_and_its_time() -> None:
    result, elapsed = time_call(lambda: sum(range(100_000)))
    assert result == 4_999_950_000
    assert elapsed.seconds > 0


def test_output_is_the_page_or_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    print_benchmark("a page", {"a": 1}, as_json=False)
    assert capsys.readouterr().out == "a page\n"
    print_benchmark("a page", {"a": 1}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"a": 1}
