"""Steps written once are those that Ibis would write for each market and store itself."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from features.dataset.dataset import Dataset
from features.dataset.sql_cache import StepFunction, compile_step
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.training_rows import build_training_rows
from tests.worlds.random_markets import HORIZONS, random_world
from tests.worlds.refreshed import build_signals, minimal_catalogue
from tests.worlds.tables import Frames

ABSENT = ((), ("returns", "creator_stats", "deliveries"))


def training_rows_of(frames: Frames, *, written_anew: bool) -> pa.Table:
    signals = build_signals(frames)
    if written_anew:
        signals = build_stored_rows(OfNew(**vars(signals.dataset)), HORIZONS)
    return build_training_rows(signals, minimal_catalogue())


class OfNew(Dataset):
    """A data set whose steps are all written for it alone."""

    def compute_step(self, compute: StepFunction, *tables: ir.Table, **about: Hashable) -> ir.Table:
        return self.persist(compute(*tables, **about))


def test_steps_written_for_another_market_give_what_those_written_anew_give() -> None:
    for seed, absent in enumerate(ABSENT):
        world = random_world(seed)
        frames = {name: world[name] for name in world if name not in absent}
        rows, wanted = (training_rows_of(frames, written_anew=anew) for anew in (False, True))
        assert rows.num_rows > 0
        assert rows.equals(wanted, check_metadata=True)


def pairs_of(*tables: ir.Table, factor: int) -> ir.Table:
    """Return each table's sum, times a factor, by the place of the table."""
    sums = [
        table.agg(place=ibis.literal(place), total=(table.number.sum() * factor).cast("int64"))
        for place, table in enumerate(tables)
    ]
    return ibis.union(*sums)


def dataset_of_numbers(columns: Sequence[Sequence[int]]) -> tuple[Dataset, list[ir.Table]]:
    connection = ibis.duckdb.connect()
    dataset = Dataset(connection=connection, tables={}, digest="")
    given = (ibis.memtable({"number": list(numbers)}) for numbers in columns)
    return dataset, [dataset.persist(table) for table in given]


def totals(dataset: Dataset, table: ir.Table) -> list[int]:
    result: list[int] = dataset.connection.to_pyarrow(table.order_by("place"))["total"].to_pylist()
    return result


def test_step_reads_the_tables_it_is_called_with() -> None:
    for shift in (0, 100):
        dataset, tables = dataset_of_numbers([[place + shift] for place in range(12)])
        for factor in (1, 3):
            made = dataset.compute_step(pairs_of, *tables, factor=factor)
            assert totals(dataset, made) == [factor * (place + shift) for place in range(12)]


def test_step_of_an_expression_is_computed_too() -> None:
    dataset, (table,) = dataset_of_numbers([[1, 2, 3]])
    made = dataset.compute_step(pairs_of, table.filter(table.number > 1), factor=1)
    assert totals(dataset, made) == [5]


def test_step_is_written_once_for_tables_of_a_schema_and_facts() -> None:
    schema, other = ibis.schema({"number": "int64"}), ibis.schema({"number": "int32"})
    first = compile_step("duckdb", pairs_of, (("factor", 7),), (schema,))
    assert compile_step("duckdb", pairs_of, (("factor", 7),), (ibis.schema(schema),)) is first
    assert compile_step("duckdb", pairs_of, (("factor", 8),), (schema,)).sql != first.sql
    assert compile_step("duckdb", pairs_of, (("factor", 7),), (other,)) is not first
    assert compile_step("duckdb", pairs_of, (("factor", 7),), (schema, schema)).sql != first.sql
    assert compile_step("pyspark", pairs_of, (("factor", 7),), (schema,)).sql != first.sql


@pytest.mark.parametrize("kind", ["int64", "float64", "string", "timestamp", "boolean"])
def test_stored_table_is_the_one_that_ibis_would_store(kind: str) -> None:
    connection = ibis.duckdb.connect()
    dataset = Dataset(connection=connection, tables={}, digest="")
    value = ibis.null("string").cast(kind)
    table = ibis.memtable({"a": [1, 2], "b c": ["x", None]})
    table = dataset.persist(table).mutate(value=value, wide=ibis._.a.sum().over(), ours=ibis._.a)
    persist, wanted = dataset.persist(table), connection.create_table("wanted", table, temp=True)
    assert persist.schema() == wanted.schema()
    names = (persist.op().name, wanted.op().name)
    described = [connection.raw_sql(f'DESCRIBE "{name}"').fetchall() for name in names]
    assert described[0] == described[1]
    assert connection.to_pyarrow(persist).equals(connection.to_pyarrow(wanted))
