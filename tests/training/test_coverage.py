from __future__ import annotations

import numpy as np
import pytest

from features.declarations import TARGETS, Target
from serving.prediction import predict
from training import coverage as coverage_module
from training.evaluate import evaluate
from training.material import Material
from training.split import Division
from training.train import Trained


@pytest.mark.parametrize("target", TARGETS)
def test_coverage_of_all_rows_is_the_evaluations_and_beside_it_the_plain_one(
    target: Target, trained: Trained, material: Material, divisions: dict[Target, Division]
) -> None:
    evaluation, division = trained.evaluations[target], divisions[target]
    whole = evaluation.by_cell["all"]
    judged = evaluation.overall["model"]
    assert (whole.rows, whole.coverage, whole.width) == (judged.rows, judged.coverage, judged.width)
    model = trained.contents.models.targets[target]
    known, latest = division.conformal, division.latest
    errors = np.abs(known.label - model.predict(material.matrix[known.rows]))
    reach = np.quantile(errors, 0.8, method="higher")
    estimate = model.predict(material.matrix[latest.rows])
    assert whole.plain_coverage == pytest.approx(
        (np.abs(latest.label - estimate) <= reach).mean(), abs=0.01
    )
    width = np.minimum(estimate + reach, 1) - np.maximum(estimate - reach, 0)
    assert whole.plain_width == pytest.approx(width.mean(), abs=0.01)


def test_coverage_is_told_for_every_cell_with_rows_enough(
    trained: Trained,
    material: Material,
    divisions: dict[Target, Division],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coverage_module, "LEAST_CELL_ROWS", 1)
    division = divisions["sell_through"]
    models = trained.contents.models
    evaluation = evaluate(models.targets, material, division)
    rows = division.latest.rows
    columns = {name: one[rows] for name, one in material.training_set.columns.items()}
    markets = np.array(material.training_set.markets_at(rows))
    said = predict(models, columns, markets.tolist(), level=0.8).targets["sell_through"]
    inside = (said.low <= division.latest.label) & (division.latest.label <= said.high)
    cells = {name: one for name, one in evaluation.by_cell.items() if name != "all"}
    assert sum(one.rows for one in cells.values()) == rows.size
    assert sum(one.coverage * one.rows for one in cells.values()) == pytest.approx(inside.sum())
    for name, one in cells.items():
        market = name.partition(" ")[2]
        assert one.rows <= (markets == market).sum()
    merged = sum(one.rows for one in cells.values() if one.is_merged)
    assert merged == said.is_merged.sum()


@pytest.mark.parametrize("most", [1, 2])
def test_coverage_stays_bounded(
    most: int,
    trained: Trained,
    material: Material,
    divisions: dict[Target, Division],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coverage_module, "LEAST_CELL_ROWS", 1)
    monkeypatch.setattr(coverage_module, "MOST_CELLS", most)
    division = divisions["sell_through"]
    evaluation = evaluate(trained.contents.models.targets, material, division)
    sizes = [one.rows for name, one in evaluation.by_cell.items() if name != "all"]
    assert len(sizes) == most
    assert sizes == sorted(sizes, reverse=True)
