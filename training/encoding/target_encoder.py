"""Turn numbered categories into what past rows say of them.

One path of columns, wide to narrow, pools its evidence and gives the baseline: the estimate that
needs no booster. Every other column of categories has its own shrunken mean. A column of few
levels also keeps its code.
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
"""A column with more levels has no code: a tree would part what is alike by chance."""


@dataclass(frozen=True)
class LabelledRows:
    """What is learned from: codes of shape (rows, columns), shares and trials of shape (rows,)."""

    codes: IntArray
    share: FloatArray
    trials: FloatArray

    def take(self, rows: IntArray | BoolArray) -> LabelledRows:
        """Return some rows."""
        return LabelledRows(self.codes[rows], self.share[rows], self.trials[rows])


@dataclass(frozen=True)
class EncodedRows:
    """What an encoder says of rows: inputs of shape (rows, inputs), the others (rows,)."""

    inputs: FloatArray
    baseline: FloatArray
    is_cold: BoolArray
    """Whether no row of the path's narrowest group was seen."""

    def take(self, rows: IntArray | BoolArray) -> EncodedRows:
        """Return some rows."""
        return EncodedRows(self.inputs[rows], self.baseline[rows], self.is_cold[rows])


@dataclass(frozen=True)
class LevelEncoder:
    """The shrunken rates of the path and of each other column; `places` are their columns."""

    places: tuple[tuple[int, ...], ...]
    rates: tuple[ShrunkenRates, ...]
    seen_codes: Mapping[int, IntArray]
    """The codes that were seen in each column of few levels."""

    @classmethod
    def fit(cls, rows: LabelledRows, path: tuple[int, ...]) -> LevelEncoder:
        """Learn rates and how strongly they are shrunk; `path` holds the path's columns."""
        others = [place for place in range(rows.codes.shape[1]) if place not in path]
        places = (path, *((place,) for place in others))
        return cls(
            places,
            tuple(_fit_rates(rows, place, None) for place in places),
            _find_seen_codes(rows.codes),
        )

    def refit(self, rows: LabelledRows) -> LevelEncoder:
        """Learn the rates of other rows, shrunk as strongly as these."""
        pairs = zip(self.places, self.rates, strict=True)
        rates = tuple(_fit_rates(rows, place, known.variances) for place, known in pairs)
        seen_codes = {place: np.unique(rows.codes[:, place]) for place in self.seen_codes}
        return LevelEncoder(self.places, rates, seen_codes)

    @property
    def variances(self) -> Variances:
        """Return how much shares differ along the path."""
        return self.rates[0].variances

    def encode(self, codes: IntArray) -> EncodedRows:
        """Say what the rows learned from tell of these."""
        found = [
            rates.look_up(codes[:, place])
            for place, rates in zip(self.places, self.rates, strict=True)
        ]
        path = found[0]
        blocks = [block for one in found for block in (one.rate, one.own_weight)]
        for place, seen in self.seen_codes.items():
            code = codes[:, place]
            is_known = (code >= 0) & np.isin(code, seen)
            blocks.append(np.where(is_known, code, np.nan)[:, np.newaxis])
        return EncodedRows(np.concatenate(blocks, axis=1), path.estimate, path.is_cold)


def _find_seen_codes(codes: IntArray) -> dict[int, IntArray]:
    levels = [np.unique(column) for column in codes.T]
    return {place: seen for place, seen in enumerate(levels) if seen.size <= MAX_CODED_LEVELS}


def _fit_rates(
    rows: LabelledRows, place: tuple[int, ...], variances: Variances | None
) -> ShrunkenRates:
    return ShrunkenRates.fit(rows.codes[:, place], rows.share, rows.trials, variances=variances)
