"""The design matrix: the same bits as one call a derived feature, whatever the rows."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.declarations.column_blocks import ColumnBlocks
from features.declarations.design_matrix import BLOCK_ROWS, DesignPlan
from features.declarations.functions import ratio, share
from features.declarations.kinds import Derived, FeatureFamily, RequestField
from features.declarations.levels import Level
from features.runtime.arrays import FloatArray

PARAMETERS = {
    name: 0.3 if name.endswith("_mean") else 20.0 + place
    for place, name in enumerate(CATALOGUE.parameters)
}


def one_by_one(
    catalogue: Catalogue, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
) -> FloatArray:
    """Compute each derived feature by itself: the slow, obvious way."""
    known = dict(columns)
    for feature in catalogue.derived:
        inputs = [known[name] for name in feature.inputs]
        fixed = [*(parameters[name] for name in feature.parameters), *feature.constants]
        known[feature.name] = feature.function(*inputs, *(np.array([one]) for one in fixed))
    return np.column_stack([known[name] for name in catalogue.model_inputs])


def drawn(rows: int, seed: int = 0) -> dict[str, FloatArray]:
    rng = np.random.default_rng(seed)
    columns: dict[str, FloatArray] = {}
    for declared in (*CATALOGUE.request_fields, *CATALOGUE.base):
        values = rng.choice([0.0, 1.0, 3.0, 1e-7, 1e9, np.pi, np.nan], rows)
        columns[declared.name] = values * rng.integers(1, 9, rows).astype(np.float64)
    return columns


@pytest.mark.parametrize("rows", [0, 1, 2, 100, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS + 7])
def test_matrix_is_the_one_of_each_feature_by_itself(rows: int) -> None:
    columns = drawn(rows, seed=rows)
    matrix = CATALOGUE.design_matrix(columns, PARAMETERS)
    expected = one_by_one(CATALOGUE, columns, PARAMETERS)
    assert matrix.flags.c_contiguous
    assert matrix.tobytes() == np.ascontiguousarray(expected).tobytes()


def test_matrix_follows_the_parameters_it_is_given() -> None:
    columns = drawn(5)
    for factor in (1.0, 2.0, 1.0):
        parameters = {name: value / factor for name, value in PARAMETERS.items()}
        matrix = CATALOGUE.design_matrix(columns, parameters)
        assert matrix.tobytes() == one_by_one(CATALOGUE, columns, parameters).tobytes()


def test_plan_that_was_used_can_be_sent_to_another_process() -> None:
    columns = drawn(5)
    matrix = CATALOGUE.design_matrix(columns, PARAMETERS)
    sent: DesignPlan = pickle.loads(pickle.dumps(CATALOGUE.design_plan))  # noqa: S301 - our own
    assert sent.matrix(columns, PARAMETERS).tobytes() == matrix.tobytes()


def test_columns_may_be_views_of_other_arrays() -> None:
    columns = drawn(300)
    table = np.column_stack(list(columns.values()))
    views = dict(zip(columns, table.T, strict=True))
    assert (
        CATALOGUE.design_matrix(views, PARAMETERS).tobytes()
        == CATALOGUE.design_matrix(columns, PARAMETERS).tobytes()
    )


def stacked(columns: Mapping[str, FloatArray]) -> ColumnBlocks:
    """Return columns as a look-up gives them, those of a request beside it."""
    levels = [tuple(one.name for one in CATALOGUE.at_level(level)) for level in Level]
    tables = {names: np.column_stack([columns[name] for name in names]) for names in levels}
    requested = {one.name: columns[one.name] for one in CATALOGUE.request_fields}
    return ColumnBlocks({names: table.T for names, table in tables.items()}).with_columns(requested)


@pytest.mark.parametrize("rows", [0, 1, 100, BLOCK_ROWS, BLOCK_ROWS + 1])
def test_matrix_of_stacks_is_the_one_of_their_columns(rows: int) -> None:
    columns = drawn(rows, seed=rows)
    assert (
        CATALOGUE.design_matrix(stacked(columns), PARAMETERS).tobytes()
        == CATALOGUE.design_matrix(columns, PARAMETERS).tobytes()
    )


def test_stacks_hold_each_column_under_its_name() -> None:
    columns = drawn(5)
    blocks = stacked(columns)
    assert len(blocks) == len(columns)
    assert set(blocks) == set(columns)
    assert {name: blocks[name].tobytes() for name in blocks} == {
        name: column.tobytes() for name, column in columns.items()
    }
    with pytest.raises(KeyError):
        blocks["nothing"]


def test_derived_features_may_rest_on_others_of_the_same_function() -> None:
    def declared(name: str, *inputs: str) -> Derived:
        return Derived(
            name=name,
            description="x",
            unit="x",
            family=FeatureFamily.PRICE,
            inputs=inputs,
            function=share if name.startswith("share") else ratio,
        )

    fields = tuple(
        RequestField(name=name, description="x", unit="x", family=FeatureFamily.PRICE)
        for name in "ab"
    )
    chain = (
        declared("first", "a", "b"),
        declared("share_of_first", "a", "first"),
        declared("second", "share_of_first", "b"),
        declared("beside", "b", "a"),
    )
    catalogue = Catalogue(request_fields=fields, features=chain)
    columns = {"a": np.array([1.0, 0.0, 7.0]), "b": np.array([3.0, 2.0, np.nan])}
    assert (
        catalogue.design_matrix(columns, {}).tobytes()
        == np.ascontiguousarray(one_by_one(catalogue, columns, {})).tobytes()
    )
    assert [len(step.inputs[0]) for step in catalogue.design_plan.steps] == [2, 1, 1]


@pytest.mark.parametrize(
    ("columns", "parameters"),
    [
        ({k: v for k, v in drawn(2).items() if k != "units_ordered_28d"}, PARAMETERS),
        (ColumnBlocks(dict(list(stacked(drawn(2)).blocks.items())[1:])), PARAMETERS),
        (drawn(2), {}),
    ],
    ids=["column", "stack", "parameter"],
)
def test_missing_column_or_parameter_is_an_error(
    columns: Mapping[str, FloatArray], parameters: dict[str, float]
) -> None:
    with pytest.raises(KeyError):
        CATALOGUE.design_matrix(columns, parameters)
