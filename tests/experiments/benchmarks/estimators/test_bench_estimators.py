from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.estimators.benchmark import compare, score_table
from experiments.benchmarks.estimators.contestants import (
    CATBOOST,
    OURS,
    plain_lightgbm,
    quick,
    shrinkage,
)
from experiments.benchmarks.estimators.labelled_tables import LabelledTable
from experiments.benchmarks.estimators.made_tables import draw_table
from experiments.benchmarks.estimators.page import show_scores
from features.runtime.console import print_results


@pytest.mark.parametrize("seed", range(8))
def test_made_table_is_the_same_again_and_has_something_to_learn(seed: int) -> None:
    table, again = draw_table(seed, 1_100), draw_table(seed, 1_100)
    pd.testing.assert_frame_equal(table.frame, again.frame)
    assert table.share.tolist() == again.share.tolist()
    assert ((table.share >= 0) & (table.share <= 1)).all()
    assert len(table.train) + len(table.test) == len(table.frame) == table.share.size
    assert table.share.std() > 0


def test_tables_differ_in_size_and_columns() -> None:
    shapes = {draw_table(seed, 1_100).frame.shape for seed in range(8)}
    assert len(shapes) == 8


def _steep_table() -> LabelledTable:
    rng = np.random.default_rng(0)
    colour = rng.choice(["red", "blue", "green"], 900)
    share = np.where(colour == "red", 0.9, 0.2)
    frame = pd.DataFrame({"colour": colour, "x": rng.random(900)})
    return LabelledTable.shuffled("steep", frame, share, np.full(900, 5.0))


def test_gains_and_lead_are_those_of_the_losses() -> None:
    truth = _steep_table()

    def exact(table: LabelledTable) -> np.ndarray:
        return table.share[table.train_rows :]

    scores = score_table(truth, {OURS: exact, CATBOOST: shrinkage, "plain": plain_lightgbm})
    assert scores.lead == pytest.approx(scores.gains[OURS] - scores.gains[CATBOOST])
    assert scores.gains[OURS] >= max(scores.gains.values())
    assert scores.ratio is not None
    assert scores.ratio >= 1
    comparison = compare([scores])
    assert comparison is not None
    assert (comparison.at_least_equal, comparison.ahead) == (1.0, 1.0)


def test_without_catboost_nothing_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    scores = [score_table(_steep_table(), {OURS: quick, "shrinkage": shrinkage})]
    assert scores[0].lead is None
    assert compare(scores) is None
    print_results(show_scores(scores, None, ["CatBoost is skipped"]))
    page = capsys.readouterr().out
    assert "CatBoost is skipped" in page
    assert "reached" not in page
