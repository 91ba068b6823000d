"""Compare the windowed features of listings, by the interpreter and by hand, in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa

from experiments.benchmarks.features.by_hand import compute_windows_by_sql
from experiments.benchmarks.features.figures import WindowCost
from experiments.benchmarks.features.sampled_spine import sample_spine
from experiments.benchmarks.results.figures import ElapsedTime, time_call
from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import Dataset, open_dataset
from features.dataset.horizons import Horizons
from features.declarations.kinds import Windowed
from features.declarations.levels import Level
from features.point_in_time.interpreter import level_values
from features.point_in_time.signal_rows import build_lazy_rows, build_stored_rows
from features.point_in_time.spine import build_spine
from features.point_in_time.visibility import AS_OF
from features.runtime.errors import DataError

KEYS: Final = ("listing_id", AS_OF)
ORDER: Final = [(name, "ascending") for name in KEYS]

Computation = Callable[[Dataset], pa.Table]
Ways = tuple[Computation, Computation]


class UnequalError(DataError):
    """Refuse to compare the speed of two ways that compute different numbers."""

    def __init__(self, feature: str) -> None:
        super().__init__(
            problem=f"The interpreter and the SQL written by hand differ on {feature}.",
            hint="One of them is wrong: read features/ and experiments/benchmarks/features/sql.",
        )


@dataclass(frozen=True)
class WindowComparison:
    """The cost of both ways, run by run, and the features they compute."""

    costs: tuple[WindowCost, ...]
    features: tuple[str, ...]
    left_out: tuple[str, ...]


def listing_window_features() -> tuple[Windowed, ...]:
    """Return the catalogue's windowed features of listings."""
    return tuple(f for f in CATALOGUE.at_level(Level.LISTING) if isinstance(f, Windowed))


def compute_windows_by_interpreter(dataset: Dataset, *, names: frozenset[str]) -> pa.Table:
    """Return the rows of `spine` with the named windowed features, signals included."""
    features = tuple(f for f in listing_window_features() if f.name in names)
    spine = dataset.connection.table("spine")
    values = level_values(build_stored_rows(dataset, Horizons()), features, spine)
    table: pa.Table = dataset.connection.to_pyarrow(values)
    return table


def compare_windows(validated: Path, spine_rows: int, repeats: int) -> WindowComparison:
    """Measure both ways on the same moments of the same files, and check that they agree.

    Every run has a new connection with nothing stored. The ways take turns in going first, so
    that neither always finds the files in memory.

    Raises:
        UnequalError: they compute different numbers.
    """
    with connect_dataset(validated) as dataset:
        moments = sample_spine(build_spine(build_lazy_rows(dataset, Horizons())), spine_rows)
        spine = dataset.connection.to_pyarrow(moments.select(*KEYS))
    by_hand, _ = _run(compute_windows_by_sql, validated, spine)
    known = {feature.name for feature in listing_window_features()}
    names = frozenset(by_hand.column_names) & known
    ways: Ways = (partial(compute_windows_by_interpreter, names=names), compute_windows_by_sql)
    costs = []
    for number in range(repeats):
        turn = ways[:: -1 if number % 2 else 1]
        done = {way: _run(way, validated, spine) for way in turn}
        (computed, interpreter), (expected, sql) = (done[way] for way in ways)
        refuse_unequal(computed, expected, names)
        costs.append(WindowCost(interpreter, sql))
    return WindowComparison(tuple(costs), tuple(sorted(names)), tuple(sorted(known - names)))


def refuse_unequal(computed: pa.Table, expected: pa.Table, names: Iterable[str]) -> None:
    """Check that two tables of the same moments hold the same bits.

    Raises:
        UnequalError: a value differs, or is null on one side only.
    """
    actual, wanted = computed.sort_by(ORDER), expected.sort_by(ORDER)
    for name in (*KEYS, *sorted(names)):
        if not actual[name].equals(wanted[name]):
            raise UnequalError(name)


def _run(way: Computation, validated: Path, spine: pa.Table) -> tuple[pa.Table, ElapsedTime]:
    """Return what a way computes, and the time it takes."""
    with connect_dataset(validated) as dataset:
        dataset.connection.create_table("spine", spine, temp=True)
        return time_call(lambda: way(dataset))


@contextmanager
def connect_dataset(validated: Path) -> Iterator[Dataset]:
    """Open a data set on a connection of its own and close it in the end."""
    dataset = open_dataset(validated)
    try:
        yield dataset
    finally:
        dataset.connection.disconnect()
