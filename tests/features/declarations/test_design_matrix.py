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
    name: 0.3 if name.endswith("_mean") else 20.0 + index
    for index, name in enumerate(CATALOGUE.parameters)
}


def fill_one_by_one(
    catalogue: Catalogue, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
) -> FloatArray:
    """Compute each derived feature with its own call: slow and obvious."""
    known = dict(columns)
    for feature in catalogue.derived:
        inputs = [known[name] for name in feature.inputs]
        fixed = [*(parameters[name] for name in feature.parameters), *feature.constants]
        known[feature.name] = feature.function(*inputs, *(np.array([value]) for value in fixed))
    return np.column_stack([known[name] for name in catalogue.model_inputs])


def draw_columns(rows: int, seed: int = 0) -> dict[str, FloatArray]:
    rng = np.random.default_rng(seed)
    columns: dict[str, FloatArray] = {}
    for declared in (*CATALOGUE.request_fields, *CATALOGUE.base):
        values = rng.choice([0.0, 1.0, 3.0, 1e-7, 1e9, np.pi, np.nan], rows)
        columns[declared.name] = values * rng.integers(1, 9, rows).astype(np.float64)
    return columns


@pytest.mark.parametrize("rows", [0, 1, 2, 100, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS + 7])
def test_matrix_is_the_one_of_each_feature_by_itself(rows: int) -> None:
    columns = draw_columns(rows, seed=rows)
    matrix = CATALOGUE.design_matrix(columns, PARAMETERS)
    expected = fill_one_by_one(CATALOGUE, columns, PARAMETERS)
    assert matrix.flags.c_contiguous
    assert matrix.tobytes() == np.ascontiguousarray(expected).tobytes()


def test_matrix_follows_the_parameters_it_is_given() -> None:
    columns = draw_columns(5)
    for factor in (1.0, 2.0, 1.0):
        parameters = {name: value / factor for name, value in PARAMETERS.items()}
        matrix = CATALOGUE.design_matrix(columns, parameters)
        assert matrix.tobytes() == fill_one_by_one(CATALOGUE, columns, parameters).tobytes()


def test_plan_that_was_used_can_be_sent_to_another_process() -> None:
    columns = draw_columns(5)
    matrix = CATALOGUE.design_matrix(columns, PARAMETERS)
    sent: DesignPlan = pickle.loads(pickle.dumps(CATALOGUE.design_plan))  # noqa: S301 - our own
    assert sent.matrix(columns, PARAMETERS).tobytes() == matrix.tobytes()


def test_columns_may_be_views_of_other_arrays() -> None:
    columns = draw_columns(300)
    table = np.column_stack(list(columns.values()))
    views = dict(zip(columns, table.T, strict=True))
    assert (
        CATALOGUE.design_matrix(views, PARAMETERS).tobytes()
        == CATALOGUE.design_matrix(columns, PARAMETERS).tobytes()
    )


def stack_columns(columns: Mapping[str, FloatArray]) -> ColumnBlocks:
    """Return columns as a look-up does, with those of a request added."""
    levels = [tuple(feature.name for feature in CATALOGUE.at_level(level)) for level in Level]
    tables = {names: np.column_stack([columns[name] for name in names]) for names in levels}
    requested = {field.name: columns[field.name] for field in CATALOGUE.request_fields}
    return ColumnBlocks({names: table.T for names, table in tables.items()}).with_columns(requested)


@pytest.mark.parametrize("rows", [0, 1, 100, BLOCK_ROWS, BLOCK_ROWS + 1])
def test_matrix_of_stacks_is_the_one_of_their_columns(rows: int) -> None:
    columns = draw_columns(rows, seed=rows)
    assert (
        CATALOGUE.design_matrix(stack_columns(columns), PARAMETERS).tobytes()
        == CATALOGUE.design_matrix(columns, PARAMETERS).tobytes()
    )


def test_stacks_hold_each_column_under_its_name() -> None:
    columns = draw_columns(5)
    blocks = stack_columns(columns)
    assert len(blocks) == len(columns)
    assert set(blocks) == set(columns)
    assert {name: blocks[name].tobytes() for name in blocks} == {
        name: column.tobytes() for name, column in columns.items()
    }
    with pytest.raises(KeyError):
        blocks["nothing"]


def test_derived_features_may_rest_on_others_of_the_same_function() -> None:
    def declare(name: str, *inputs: str) -> Derived:
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
        declare("first", "a", "b"),
        declare("share_of_first", "a", "first"),
        declare("second", "share_of_first", "b"),
        declare("beside", "b", "a"),
    )
    catalogue = Catalogue(request_fields=fields, features=chain)
    columns = {"a": np.array([1.0, 0.0, 7.0]), "b": np.array([3.0, 2.0, np.nan])}
    assert (
        catalogue.design_matrix(columns, {}).tobytes()
        == np.ascontiguousarray(fill_one_by_one(catalogue, columns, {})).tobytes()
    )
    assert [len(step.inputs[0]) for step in catalogue.design_plan.steps] == [2, 1, 1]


@pytest.mark.parametrize(
    ("columns", "parameters"),
    [
        ({k: v for k, v in draw_columns(2).items() if k != "units_ordered_28d"}, PARAMETERS),
        (ColumnBlocks(dict(list(stack_columns(draw_columns(2)).blocks.items())[1:])), PARAMETERS),
        (draw_columns(2), {}),
    ],
    ids=["column", "stack", "parameter"],
)
def test_missing_column_or_parameter_is_an_error(
    columns: Mapping[str, FloatArray], parameters: dict[str, float]
) -> None:
    with pytest.raises(KeyError):
        CATALOGUE.design_matrix(columns, parameters)
