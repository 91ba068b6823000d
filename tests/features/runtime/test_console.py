from __future__ import annotations

import pytest
from rich.table import Table

from features.runtime.console import print_results


def test_results_in_a_pipe_are_not_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    names = [f"a long heading {place}" for place in range(8)]
    for name in names:
        table.add_column(name)
    print_results(table)
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)
    assert "…" not in shown
