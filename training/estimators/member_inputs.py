"""Encode the rows of a fit for each member of the portfolio; members share their encoders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from scipy.special import logit

from features.runtime.arrays import FloatArray
from training.encoding.effect_encoder import EffectEncoder
from training.encoding.input_table import InputTable
from training.encoding.ordered_encoder import OrderedEncoder
from training.encoding.out_of_fold import OutOfFoldEncodings, encode_out_of_fold
from training.encoding.target_encoder import EncodedRows, LabelledRows, LevelEncoder
from training.portfolio.members import Encoding
from training.portfolio.staged_fit import Inputs
from training.shrinkage.group_rates import ShrunkenRates

MIN_OFFSET_SHARE: Final = 1e-3
"""Offsets stay this far from 0 and 1, where trees can still correct them."""


class Encoder(Protocol):
    """Encodes rows that it wasn't fitted on."""

    def encode(self, table: InputTable) -> Inputs:
        """Return what trees see of rows, and what they start from."""


@dataclass(frozen=True)
class RateEncoder:
    """Encode categories by shrunken rates; trees start from the rate of the path."""

    levels: LevelEncoder

    def encode(self, table: InputTable) -> Inputs:
        """Return numbers beside rates, and the log odds of the path's rate."""
        return _join_rates(table, self.levels.encode(table.codes))


@dataclass(frozen=True)
class MemberInputs:
    """The rows of a fit in each encoding; an encoder is fitted when a member needs it first."""

    table: InputTable
    rows: LabelledRows
    rates: ShrunkenRates
    """The pooled rates of the rows along the path."""
    path: tuple[int, ...]
    monotone: tuple[int, ...]
    known_share: float
    """Share of the rows that boosters see with all their levels known."""
    rng: np.random.Generator

    @property
    def weight(self) -> FloatArray:
        """Return the weights of rows, of mean 1."""
        return np.asarray(self._trials / self._trials.mean(), np.float64)

    def encoder(self, encoding: Encoding) -> Encoder:
        """Return the encoder of all rows."""
        match encoding:
            case "rates":
                return RateEncoder(self._rates)
            case "effects":
                return self._effects
            case "effects_and_codes":
                return self._effects.beside_codes()
            case "ordered":
                return self._ordered

    def draw(self, encoding: Encoding) -> Inputs:
        """Draw the rows of fit anew, each encoded without its own label."""
        match encoding:
            case "rates":
                return _join_rates(self.table, self._rates_out_of_fold.draw(self.rng))
            case "effects":
                return self._draw_effects(self._effects)
            case "effects_and_codes":
                return self._draw_effects(self._effects.beside_codes())
            case "ordered":
                return self._ordered.encode_fitted(
                    self.table, self.rows, self.weight, self.known_share, self.rng
                )

    def _draw_effects(self, encoder: EffectEncoder) -> Inputs:
        return encoder.encode_fitted(
            self.table, self.rows, self._trials, self.known_share, self.rng
        )

    @cached_property
    def _rates(self) -> LevelEncoder:
        return LevelEncoder.fit(self.rows, self.path, self.rates)

    @cached_property
    def _rates_out_of_fold(self) -> OutOfFoldEncodings:
        return encode_out_of_fold(self._rates, self.rows, self.known_share, self.rng)

    @cached_property
    def _effects(self) -> EffectEncoder:
        return EffectEncoder.fit(
            self.table, self.rows, self._trials, path=self.path, monotone=self.monotone
        )

    @cached_property
    def _ordered(self) -> OrderedEncoder:
        return OrderedEncoder.fit(self.table, self.rows, self.weight)

    @cached_property
    def _trials(self) -> FloatArray:
        """Return weights of at least one trial a row on average, whatever their unit."""
        weight = self.rates.variances.fit_weight(self.rows.share, self.rows.trials)
        return weight / min(float(weight.mean()), 1.0)


def _join_rates(table: InputTable, encoded: EncodedRows) -> Inputs:
    share = np.clip(encoded.baseline, MIN_OFFSET_SHARE, 1 - MIN_OFFSET_SHARE)
    return Inputs(
        matrix=np.concatenate([table.numbers, encoded.inputs], axis=1),
        offset=np.asarray(logit(share), np.float64),
    )
