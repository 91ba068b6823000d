from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from features.point_in_time.training_rows import FINGERPRINT
from tests.worlds.training import drop_returns
from training.data.training_set import TrainingSet, read_training_set
from training.errors import CatalogueMismatchError, MissingColumnsError, MissingKeysError


@pytest.fixture
def training_set(rows: pa.Table) -> TrainingSet:
    return read_training_set(rows, CATALOGUE)


def test_training_set_columns_are_the_tables_with_null_as_nan(
    rows: pa.Table, training_set: TrainingSet
) -> None:
    for name, column in training_set.columns.items():
        expected = [np.nan if value is None else value for value in rows[name].to_pylist()]
        np.testing.assert_array_equal(column, expected)
    wanted = {one.name for one in (*CATALOGUE.request_fields, *CATALOGUE.base)}
    assert set(training_set.columns) == wanted


def test_training_set_keys_decode_to_the_tables_text(
    rows: pa.Table, training_set: TrainingSet
) -> None:
    for name, coded in training_set.keys.items():
        names = [*coded.names, None]
        assert [names[code] for code in coded.codes] == rows[name].to_pylist()
    assert rows["supplier_id"].null_count
    assert rows["creator_id"].null_count


def test_training_set_says_what_it_was_built_from(
    rows: pa.Table, training_set: TrainingSet
) -> None:
    assert training_set.cut_off_day == pc.max(rows["as_of_day"]).as_py()
    assert training_set.imputed == ("stock",)
    assert training_set.digest == "0" * 64


@pytest.mark.parametrize(
    ("target", "weight_column"), [("sell_through", None), ("return_risk", "units_ordered_label")]
)
def test_training_set_weight_is_the_targets_evidence(
    target: Target, weight_column: str | None, rows: pa.Table, training_set: TrainingSet
) -> None:
    weight = [1.0] * rows.num_rows if weight_column is None else rows[weight_column].to_pylist()
    assert training_set.outcomes[target].weight.tolist() == weight


def test_training_set_knows_outcomes_of_the_labelled_targets_alone(
    rows: pa.Table, training_set: TrainingSet
) -> None:
    assert list(training_set.outcomes) == ["sell_through", "return_risk"]
    alone = read_training_set(drop_returns(rows), CATALOGUE).outcomes
    assert list(alone) == ["sell_through"]
    np.testing.assert_array_equal(
        alone["sell_through"].label, training_set.outcomes["sell_through"].label
    )


def test_training_set_with_integer_columns_reads_the_same(
    rows: pa.Table, training_set: TrainingSet
) -> None:
    place = rows.column_names.index("units_offered")
    whole = rows.set_column(place, "units_offered", rows["units_offered"].cast(pa.int64()))
    again = read_training_set(whole, CATALOGUE)
    assert (again.columns["units_offered"] == training_set.columns["units_offered"]).all()


@pytest.mark.parametrize("column", ["category", "as_of_day", "sell_through", "units_ordered_28d"])
def test_training_set_without_a_column_is_refused(column: str, rows: pa.Table) -> None:
    with pytest.raises(MissingColumnsError, match=f"lack columns: {column}"):
        read_training_set(rows.drop_columns([column]), CATALOGUE)


def test_training_set_with_a_null_key_is_refused(rows: pa.Table) -> None:
    place = rows.column_names.index("category")
    broken = pc.if_else(pc.equal(rows["category"], "mugs"), None, rows["category"])
    rows = rows.set_column(place, "category", broken)
    count = rows["category"].null_count
    with pytest.raises(MissingKeysError, match=f"category is missing in {count:,} of"):
        read_training_set(rows, CATALOGUE)


@pytest.mark.parametrize("metadata", [{FINGERPRINT: b"other"}, None])
def test_training_set_of_another_catalogue_is_refused(
    metadata: dict[bytes, bytes] | None, rows: pa.Table
) -> None:
    with pytest.raises(CatalogueMismatchError, match="training rows of catalogue"):
        read_training_set(rows.replace_schema_metadata(metadata), CATALOGUE)
