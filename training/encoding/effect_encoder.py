"""Encode categories by their effects among those of all columns; trees start from the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from features.runtime.arrays import FloatArray
from training.encoding.crossed_effects import CrossedEffects
from training.encoding.effect_columns import MISSING_CODE, EffectColumns
from training.encoding.hidden_levels import hide_levels
from training.encoding.input_table import InputTable
from training.encoding.out_of_fold import FOLDS
from training.encoding.target_encoder import LabelledRows
from training.portfolio.staged_fit import Inputs


@dataclass(frozen=True)
class EffectEncoder:
    """The columns and their effects, with or without the codes of categories beside them."""

    columns: EffectColumns
    effects: CrossedEffects
    with_codes: bool

    @classmethod
    def fit(
        cls,
        table: InputTable,
        rows: LabelledRows,
        evidence: FloatArray,
        path: tuple[int, ...],
        monotone: Sequence[int],
    ) -> Self:
        """Fit the effects of all rows; `evidence` is each share's number of independent trials."""
        columns = EffectColumns.fit(table, path, monotone)
        effects = CrossedEffects.fit(columns.encode(table), rows.share, evidence)
        return cls(columns, effects, with_codes=False)

    def beside_codes(self) -> EffectEncoder:
        """Return an encoder that shows the codes of categories too."""
        return replace(self, with_codes=True)

    def encode(self, table: InputTable) -> Inputs:
        """Encode rows that the effects weren't fitted on."""
        looked_up = self.effects.look_up(self.columns.encode(table))
        return self._join(table, looked_up, self.effects.log_odds(looked_up))

    def encode_fitted(
        self,
        table: InputTable,
        rows: LabelledRows,
        evidence: FloatArray,
        known_share: float,
        rng: np.random.Generator,
    ) -> Inputs:
        """Encode the rows of fit, each by effects of other folds, some with a level hidden."""
        shown = InputTable(table.numbers, hide_levels(table.codes, known_share, rng))
        known, codes = self.columns.encode(table), self.columns.encode(shown)
        fold = rng.permutation(len(codes)) % FOLDS
        looked_up, odds = np.zeros(codes.shape), np.zeros(len(codes))
        for number in range(FOLDS):
            is_out = fold == number
            effects = CrossedEffects.fit(known[~is_out], rows.share[~is_out], evidence[~is_out])
            looked_up[is_out] = effects.look_up(codes[is_out])
            odds[is_out] = effects.log_odds(looked_up[is_out])
        return self._join(shown, looked_up, odds)

    def _join(self, table: InputTable, looked_up: FloatArray, odds: FloatArray) -> Inputs:
        blocks = [table.numbers, odds[:, np.newaxis], looked_up[:, : self.columns.category_count]]
        if self.with_codes:
            blocks.append(np.where(table.codes == MISSING_CODE, np.nan, table.codes))
        native = table.codes.shape[1] if self.with_codes else 0
        return Inputs(matrix=np.concatenate(blocks, axis=1), offset=odds, native=native)
