"""Plan and fill a design matrix; derived features that share a function take one call.

The function of a derived feature is elementwise. One call over the stacked inputs of several
features therefore gives the same bits as one call for each feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from features.declarations.column_blocks import ColumnBlocks
from features.declarations.kinds import Derived
from features.runtime.arrays import FloatArray

BLOCK_ROWS: Final = 4_096
"""Rows filled at a time; it bounds the memory used beside the matrix."""
MAX_PARAMETER_SETS: Final = 4
"""Parameter sets whose columns stay cached: a service has one, and a second while it reloads."""


@dataclass(frozen=True)
class DesignStep:
    """Call one function for several features; positions are rows of the work array."""

    function: Callable[..., FloatArray]
    inputs: npt.NDArray[np.intp]
    """Positions of the inputs, shape (inputs of a feature, features)."""
    parameters: tuple[tuple[str, ...], ...]
    """For each parameter of the function, its name in each feature."""
    constants: Sequence[FloatArray]
    """For each constant of the function, a column of shape (features, 1)."""
    outputs: slice


@dataclass(frozen=True)
class DesignPlan:
    """Describe how to fill a design matrix: known columns, steps and the order of its columns."""

    known: tuple[tuple[str, ...], ...]
    """Names of given columns, grouped into the blocks that a look-up returns."""
    steps: tuple[DesignStep, ...]
    order: npt.NDArray[np.intp]
    """Position in the work array of each column of the matrix."""

    def matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Return the matrix of shape (rows, columns) in C order, filled `BLOCK_ROWS` at a time."""
        known = self._list_known(columns)
        learned = _parameter_columns(
            self._by_step, tuple(parameters[name] for name in self._parameters)
        )
        matrix = np.empty((known[0].shape[-1], len(self.order)))
        for start, block in _split_rows(known):
            rows = slice(start, start + block[0].shape[-1])
            matrix[rows] = self._fill(block, learned).take(self.order, axis=0).T
        return matrix

    def _list_known(self, columns: Mapping[str, FloatArray]) -> list[FloatArray]:
        """Return the known columns in order, as blocks of shape (names, rows) or one by one."""
        if isinstance(columns, ColumnBlocks):
            return [columns.blocks[names] for names in self.known]
        return [columns[name] for names in self.known for name in names]

    def _fill(
        self, known: Sequence[FloatArray], learned: Sequence[Sequence[FloatArray]]
    ) -> FloatArray:
        """Return the known columns and the results of the steps, shape (columns, rows)."""
        known_count = sum(map(len, self.known))
        columns = self.steps[-1].outputs.stop if self.steps else known_count
        work = np.empty((columns, known[0].shape[-1]))
        known_rows = work[:known_count]
        np.concatenate(known, out=known_rows if known[0].ndim > 1 else known_rows.reshape(-1))
        for step, values in zip(self.steps, learned, strict=True):
            inputs = work.take(step.inputs, axis=0)
            work[step.outputs] = step.function(*inputs, *values, *step.constants)
        return work

    @cached_property
    def _parameters(self) -> tuple[str, ...]:
        """Return the names of all parameters in the order of the steps."""
        return tuple(name for step in self.steps for names in step.parameters for name in names)

    @cached_property
    def _by_step(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """Return the names of each step's parameters."""
        return tuple(step.parameters for step in self.steps)


def _split_rows(columns: Sequence[FloatArray]) -> Iterator[tuple[int, Sequence[FloatArray]]]:
    """Yield the first row of each block and the columns of its rows.

    A request fits into one block and isn't sliced: hundreds of slices take as long as copying the
    columns.
    """
    rows = columns[0].shape[-1]
    if rows <= BLOCK_ROWS:
        yield 0, columns
        return
    for start in range(0, rows, BLOCK_ROWS):
        yield start, [column[..., start : start + BLOCK_ROWS] for column in columns]


@lru_cache(MAX_PARAMETER_SETS)
def _parameter_columns(
    parameters: tuple[tuple[tuple[str, ...], ...], ...], values: tuple[float, ...]
) -> Sequence[Sequence[FloatArray]]:
    """Return each parameter of each step as a column of shape (features, 1).

    The columns are cached, because consecutive requests have the same parameters.
    """
    remaining = iter(values)
    return [[_column(islice(remaining, len(names))) for names in step] for step in parameters]


def _column(values: Iterable[float]) -> FloatArray:
    """Return values as a read-only column; the cache shares it between calls."""
    column = np.array([*values], dtype=np.float64)[:, np.newaxis]
    column.flags.writeable = False
    return column


def plan_design(
    wanted: Sequence[str], derived: Iterable[Derived], *, known: Sequence[tuple[str, ...]]
) -> DesignPlan:
    """Arrange derived features into steps that lead to the columns wanted.

    Each feature must follow its inputs.
    """
    groups = _group_by_function(derived)
    names = [name for group in known for name in group]
    names += [feature.name for features in groups for feature in features]
    positions = {name: position for position, name in enumerate(names)}
    return DesignPlan(
        known=tuple(known),
        steps=tuple(_make_step(features, positions) for features in groups),
        order=np.array([positions[name] for name in wanted], dtype=np.intp),
    )


def _group_by_function(derived: Iterable[Derived]) -> list[list[Derived]]:
    """Group features by function, each as early as all its inputs are computed."""
    depths: dict[str, int] = {}
    groups: dict[tuple[int, Callable[..., FloatArray], int, int, int], list[Derived]] = {}
    for feature in derived:
        depth = 1 + max((depths.get(name, 0) for name in feature.inputs), default=0)
        depths[feature.name] = depth
        shape = (len(feature.inputs), len(feature.parameters), len(feature.constants))
        groups.setdefault((depth, feature.function, *shape), []).append(feature)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


def _make_step(features: Sequence[Derived], positions: Mapping[str, int]) -> DesignStep:
    first = positions[features[0].name]
    inputs = [[positions[name] for name in feature.inputs] for feature in features]
    constants = zip(*(feature.constants for feature in features), strict=True)
    return DesignStep(
        function=features[0].function,
        inputs=np.array(inputs, dtype=np.intp).T,
        parameters=tuple(zip(*(feature.parameters for feature in features), strict=True)),
        constants=[_column(values) for values in constants],
        outputs=slice(first, first + len(features)),
    )
