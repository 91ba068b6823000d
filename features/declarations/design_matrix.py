"""The order in which a design matrix is filled: derived features with one function run together.

A derived feature's function is elementwise, so that one call over the stacked inputs of all the
features that share it gives, bit for bit, what a call a feature would.
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
"""Rows filled at a time: what is at work beside the matrix stays this long, however long it is."""
MAX_PARAMETER_SETS: Final = 4
"""Sets of parameters whose columns are kept: a service has one, and another while it reloads."""


@dataclass(frozen=True)
class DesignStep:
    """One function for several features; positions are those of rows in the work array."""

    function: Callable[..., FloatArray]
    inputs: npt.NDArray[np.intp]
    """Shape (inputs of a feature, features)."""
    parameters: tuple[tuple[str, ...], ...]
    """By parameter of the function: its name for each of the features."""
    constants: Sequence[FloatArray]
    """By constant of the function: a column with one row a feature."""
    outputs: slice


@dataclass(frozen=True)
class DesignPlan:
    """What fills a design matrix: columns that are known, steps, and the order of the inputs."""

    known: tuple[tuple[str, ...], ...]
    """Columns that are given, in groups that a look-up finds as one stack."""
    steps: tuple[DesignStep, ...]
    order: npt.NDArray[np.intp]
    """Where in the work array each model input stands."""

    def matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Return the matrix of shape (rows, inputs) in C order; memory is its own and a block."""
        known = self._select_known(columns)
        learned = _parameter_columns(
            self._by_step, tuple(parameters[name] for name in self._parameters)
        )
        matrix = np.empty((known[0].shape[-1], len(self.order)))
        for start, block in _split_rows(known):
            rows = slice(start, start + block[0].shape[-1])
            matrix[rows] = self._fill(block, learned).take(self.order, axis=0).T
        return matrix

    def _select_known(self, columns: Mapping[str, FloatArray]) -> list[FloatArray]:
        """Return the known columns in turn, in stacks of shape (names, rows) or one by one."""
        if isinstance(columns, ColumnBlocks):
            return [columns.blocks[names] for names in self.known]
        return [columns[name] for names in self.known for name in names]

    def _fill(
        self, known: Sequence[FloatArray], learned: Sequence[Sequence[FloatArray]]
    ) -> FloatArray:
        """Return known columns and results of steps, shape (inputs, rows)."""
        work = np.empty((len(self.order), known[0].shape[-1]))
        given = work[: sum(map(len, self.known))]
        np.concatenate(known, out=given if known[0].ndim > 1 else given.reshape(-1))
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
    """Yield where a block of rows starts, and the columns within it.

    A request is one block and stays uncut: hundreds of slices take as long as copying the columns.
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
    """Return each parameter of each step as a column with one row a feature.

    A request's parameters are those of the request before: their columns are kept.
    """
    left = iter(values)
    return [[_column(islice(left, len(names))) for names in step] for step in parameters]


def _column(values: Iterable[float]) -> FloatArray:
    """Return values as a column that nobody can change: it is used again."""
    column = np.array([*values], dtype=np.float64)[:, np.newaxis]
    column.flags.writeable = False
    return column


def plan_design(
    model_inputs: Sequence[str], derived: Iterable[Derived], *, known: Sequence[tuple[str, ...]]
) -> DesignPlan:
    """Arrange derived features, each of which stands after its inputs, into steps."""
    groups = _group_by_function(derived)
    names = [name for group in known for name in group]
    names += [feature.name for features in groups for feature in features]
    places = {name: place for place, name in enumerate(names)}
    return DesignPlan(
        known=tuple(known),
        steps=tuple(_make_step(features, places) for features in groups),
        order=np.array([places[name] for name in model_inputs], dtype=np.intp),
    )


def _group_by_function(derived: Iterable[Derived]) -> list[list[Derived]]:
    """Put features of one function together, as early as all their inputs are there."""
    depths: dict[str, int] = {}
    groups: dict[tuple[int, Callable[..., FloatArray], int, int, int], list[Derived]] = {}
    for feature in derived:
        depth = 1 + max((depths.get(name, 0) for name in feature.inputs), default=0)
        depths[feature.name] = depth
        shape = (len(feature.inputs), len(feature.parameters), len(feature.constants))
        groups.setdefault((depth, feature.function, *shape), []).append(feature)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


def _make_step(features: Sequence[Derived], places: Mapping[str, int]) -> DesignStep:
    first = places[features[0].name]
    inputs = [[places[name] for name in feature.inputs] for feature in features]
    return DesignStep(
        function=features[0].function,
        inputs=np.array(inputs, dtype=np.intp).T,
        parameters=tuple(zip(*(feature.parameters for feature in features), strict=True)),
        constants=[_column(one) for one in zip(*(f.constants for f in features), strict=True)],
        outputs=slice(first, first + len(features)),
    )
