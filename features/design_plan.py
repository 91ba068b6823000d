"""The order in which a design matrix is filled: derived features with one function run together.

A derived feature's function is elementwise, so that one call over the stacked inputs of all the
features that share it gives, bit for bit, what a call a feature would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.declarations import Derived, FloatArray

BLOCK_ROWS: Final = 4_096
"""Rows filled at a time: what is at work beside the matrix stays this long, however long it is."""


@dataclass(frozen=True)
class Step:
    """One function for several features; positions are those of rows in the work array."""

    function: Callable[..., FloatArray]
    inputs: npt.NDArray[np.intp]
    """Shape (inputs of a feature, features)."""
    parameters: tuple[tuple[str, ...], ...]
    """By parameter of the function: its name for each of the features."""
    outputs: slice


@dataclass(frozen=True)
class DesignPlan:
    """What fills a design matrix: columns that are known, steps, and the order of the inputs."""

    known: tuple[str, ...]
    steps: tuple[Step, ...]
    order: npt.NDArray[np.intp]
    """Where in the work array each model input stands."""

    def matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Return the matrix of shape (rows, inputs) in C order; memory is its own and a block."""
        rows = len(columns[self.known[0]])
        learned = [_learned(step, parameters) for step in self.steps]
        matrix = np.empty((rows, len(self.order)))
        for start in range(0, rows, BLOCK_ROWS):
            block = slice(start, min(start + BLOCK_ROWS, rows))
            matrix[block] = self._filled(columns, block, learned)[self.order].T
        return matrix

    def _filled(
        self,
        columns: Mapping[str, FloatArray],
        block: slice,
        learned: Sequence[Sequence[FloatArray]],
    ) -> FloatArray:
        """Return known columns and results of steps, shape (inputs, rows of the block)."""
        work = np.empty((len(self.order), block.stop - block.start))
        known = [columns[name][block] for name in self.known]
        np.concatenate(known, out=work[: len(known)].reshape(-1))
        for step, values in zip(self.steps, learned, strict=True):
            work[step.outputs] = step.function(*work[step.inputs], *values)
        return work


def _learned(step: Step, parameters: Mapping[str, float]) -> list[FloatArray]:
    """Return each parameter as a column with one row a feature."""
    return [np.array([[parameters[name]] for name in names]) for names in step.parameters]


def plan(model_inputs: Sequence[str], derived: Iterable[Derived]) -> DesignPlan:
    """Arrange derived features, each of which stands after its inputs, into steps."""
    groups = _groups(derived)
    computed = {feature.name for features in groups for feature in features}
    known = tuple(name for name in model_inputs if name not in computed)
    names = [*known, *(feature.name for features in groups for feature in features)]
    places = {name: place for place, name in enumerate(names)}
    return DesignPlan(
        known=known,
        steps=tuple(_step(features, places) for features in groups),
        order=np.array([places[name] for name in model_inputs], dtype=np.intp),
    )


def _groups(derived: Iterable[Derived]) -> list[list[Derived]]:
    """Put features of one function together, as early as all their inputs are there."""
    depths: dict[str, int] = {}
    groups: dict[tuple[int, Callable[..., FloatArray], int, int], list[Derived]] = {}
    for feature in derived:
        depth = 1 + max((depths.get(name, 0) for name in feature.inputs), default=0)
        depths[feature.name] = depth
        shape = (len(feature.inputs), len(feature.parameters))
        groups.setdefault((depth, feature.function, *shape), []).append(feature)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


def _step(features: Sequence[Derived], places: Mapping[str, int]) -> Step:
    first = places[features[0].name]
    inputs = [[places[name] for name in feature.inputs] for feature in features]
    return Step(
        function=features[0].function,
        inputs=np.array(inputs, dtype=np.intp).T,
        parameters=tuple(zip(*(feature.parameters for feature in features), strict=True)),
        outputs=slice(first, first + len(features)),
    )
