"""The progress display: one line a stage, or nothing for short work and in a pipe."""

from __future__ import annotations

import pytest

from features.runtime.progress import MAX_LINES, prefix_progress, show_progress
from tests.worlds.progress import Reports


@pytest.mark.parametrize(
    ("is_terminal", "delay_seconds", "is_drawn"),
    [("1", 1e-9, True), ("1", 60.0, False), ("0", 1e-9, False)],
)
def test_late_progress_is_drawn_on_a_terminal_once_the_delay_is_over(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_terminal: str,
    delay_seconds: float,
    is_drawn: object,
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", is_terminal)
    with show_progress(delay_seconds=delay_seconds) as progress:
        progress("orders", 250_000)
    output = capsys.readouterr()
    assert ("orders: 250,000 rows" in output.err) is is_drawn
    assert is_drawn or output.err == ""
    assert output.out == ""


def test_stages_of_long_work_are_lines_of_a_log_as_they_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    with show_progress() as progress:
        progress("check")
        assert capsys.readouterr().err == "0:00:00 check\n"
        progress("fit", 10)
        progress("fit", 2_000)
        assert capsys.readouterr().err == "0:00:00 fit\n"
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "")


def test_lines_of_a_log_are_bounded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    with show_progress() as progress:
        for number in range(MAX_LINES + 5):
            progress(f"trial {number}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MAX_LINES
    assert lines[-1] == "0:00:00 trial 999 (the last stage that is shown here)"


def test_prefixed_progress_reports_the_prefix_before_the_stage() -> None:
    reports = Reports()
    prefix_progress("train", reports)("fit", 10)
    assert (reports.stages, reports.rows) == (["train: fit"], [10])
