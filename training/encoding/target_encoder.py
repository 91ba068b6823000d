"""Encode categories by the shrunken mean labels of earlier rows.

One path of columns, wide to narrow, pools its evidence and gives the baseline, an estimate without
boosters. Every other column of categories has its own shrunken mean. A column of few levels also
keeps its codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from training.shrinkage.group_rates import ShrunkenRates
from training.shrinkage.variance_components import Variances

MAX_CODED_LEVELS: Final = 32
"""A column with more levels has no code: trees would split its levels by chance."""


@dataclass(frozen=True)
class LabelledRows:
    """Rows to fit on: codes of shape (rows, columns), shares and trials of shape (rows,)."""

    codes: IntArray
    share: FloatArray
    trials: FloatArray

    def take(self, rows: IntArray | BoolArray) -> LabelledRows:
        """Return the rows of a mask or of positions."""
        return LabelledRows(self.codes[rows], self.share[rows], self.trials[rows])


@dataclass(frozen=True)
class EncodedRows:
    """Encoded rows: inputs of shape (rows, inputs), the others of shape (rows,)."""

    inputs: FloatArray
    baseline: FloatArray
    is_cold: BoolArray
    """True if the narrowest group of the path was unseen."""

    def take(self, rows: IntArray | BoolArray) -> EncodedRows:
        """Return the rows of a mask or of positions."""
        return EncodedRows(self.inputs[rows], self.baseline[rows], self.is_cold[rows])


@dataclass(frozen=True)
class LevelEncoder:
    """The shrunken rates of the path and of each other column; `paths` holds their columns."""

    paths: tuple[tuple[int, ...], ...]
    rates: tuple[ShrunkenRates, ...]
    seen_codes: Mapping[int, IntArray]
    """The codes of fit, for each column of few levels."""

    @classmethod
    def fit(
        cls, rows: LabelledRows, path: tuple[int, ...], rates: ShrunkenRates | None = None
    ) -> LevelEncoder:
        """Fit the rates and the strength of their shrinkage; `path` holds column positions.

        `rates` are those of the path, if they are known already.
        """
        others = [column for column in range(rows.codes.shape[1]) if column not in path]
        paths = (path, *((column,) for column in others))
        return cls(
            paths,
            (
                rates or _fit_rates(rows, path, None),
                *(_fit_rates(rows, columns, None) for columns in paths[1:]),
            ),
            _find_seen_codes(rows.codes),
        )

    def refit(self, rows: LabelledRows) -> LevelEncoder:
        """Fit the rates of other rows with the same strength of shrinkage."""
        pairs = zip(self.paths, self.rates, strict=True)
        rates = tuple(_fit_rates(rows, columns, known.variances) for columns, known in pairs)
        seen_codes = {column: np.unique(rows.codes[:, column]) for column in self.seen_codes}
        return LevelEncoder(self.paths, rates, seen_codes)

    @property
    def variances(self) -> Variances:
        """Return how much shares differ along the path."""
        return self.rates[0].variances

    def encode(self, codes: IntArray) -> EncodedRows:
        """Encode rows, whose `codes` have shape (rows, columns), by the rates of fit."""
        evidence = [
            rates.look_up(codes[:, columns])
            for columns, rates in zip(self.paths, self.rates, strict=True)
        ]
        path = evidence[0]
        blocks = [block for group in evidence for block in (group.rate, group.own_weight)]
        for column, seen in self.seen_codes.items():
            code = codes[:, column]
            is_known = (code >= 0) & np.isin(code, seen)
            blocks.append(np.where(is_known, code, np.nan)[:, np.newaxis])
        return EncodedRows(np.concatenate(blocks, axis=1), path.estimate, path.is_cold)


def _find_seen_codes(codes: IntArray) -> dict[int, IntArray]:
    levels = [np.unique(column) for column in codes.T]
    return {column: seen for column, seen in enumerate(levels) if seen.size <= MAX_CODED_LEVELS}


def _fit_rates(
    rows: LabelledRows, columns: tuple[int, ...], variances: Variances | None
) -> ShrunkenRates:
    return ShrunkenRates.fit(rows.codes[:, columns], rows.share, rows.trials, variances=variances)
