"""Encode categories by their effects among those of all columns; trees start from the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Self

import numpy as np

from features.runtime.arrays import FloatArray
from training.encoding.crossed_effects import CrossedEffects
from training.encoding.effect_columns import MISSING_CODE, EffectColumns
from training.encoding.input_table import InputTable
from training.encoding.out_of_fold import FOLDS, draw_folds, draw_ways
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
        """Encode the rows of fit by effects of other folds, some as rows of an unseen level."""
        codes, shown = self.columns.encode(table), table.codes.copy()
        looked_up, odds = np.zeros(codes.shape), np.zeros(len(codes))
        ways = list(islice(draw_folds(table.codes, rng), None if known_share < 1 else 1))
        way = draw_ways(len(codes), len(ways), known_share, rng)
        for number, (column, fold) in enumerate(ways):
            if column is not None:
                shown[way == number, column] = MISSING_CODE
            for out in range(FOLDS):
                is_out = (way == number) & (fold == out)
                others = fold != out
                effects = CrossedEffects.fit(codes[others], rows.share[others], evidence[others])
                looked_up[is_out] = effects.look_up(codes[is_out])
                odds[is_out] = effects.log_odds(looked_up[is_out])
        return self._join(InputTable(table.numbers, shown), looked_up, odds)

    def _join(self, table: InputTable, looked_up: FloatArray, odds: FloatArray) -> Inputs:
        blocks = [table.numbers, odds[:, np.newaxis], looked_up[:, : self.columns.category_count]]
        if self.with_codes:
            blocks.append(np.where(table.codes == MISSING_CODE, np.nan, table.codes))
        native = table.codes.shape[1] if self.with_codes else 0
        return Inputs(matrix=np.concatenate(blocks, axis=1), offset=odds, native=native)
