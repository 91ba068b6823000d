"""The progress display: silent when nobody watches or the work is short."""

from __future__ import annotations

import pytest

import features.runtime.progress
from features.runtime.progress import show_late_progress


@pytest.mark.parametrize(
    ("is_terminal", "patience", "drawn"),
    [("1", 0.0, True), ("1", 60.0, False), ("0", 0.0, False)],
)
def test_progress_is_drawn_on_a_terminal_once_patience_is_over(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_terminal: str,
    patience: float,
    drawn: object,
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", is_terminal)
    monkeypatch.setattr(features.runtime.progress, "PATIENCE_SECONDS", patience)
    with show_late_progress() as tell:
        tell("orders", 250_000)
    shown = capsys.readouterr()
    assert ("orders: 250,000 rows" in shown.err) is drawn
    assert shown.out == ""
