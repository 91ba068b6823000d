"""Choose the members of an estimator by validation: how many trees each, then how to weigh them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from training.encoding.hidden_levels import hide_levels
from training.encoding.input_table import InputTable
from training.encoding.target_encoder import LabelledRows
from training.estimators.boosted_shares import BoostingConfig, WeighedMember, staged_fit
from training.metrics.metrics import row_log_loss
from training.portfolio.greedy_selection import MIN_SHARE, select_members
from training.portfolio.members import CHECKPOINTS, Member
from training.portfolio.staged_fit import StagedFit

FOLDS: Final = 3
MIN_ROWS: Final = 200
"""Fewer rows can't tell members apart."""


def split_clusters(clusters: IntArray, rng: np.random.Generator) -> list[BoolArray]:
    """Return the rows to judge by in each fold; a cluster is in one fold with all its rows.

    `clusters` has shape (rows,). There are no folds if there are fewer clusters than folds.
    """
    groups, group = np.unique(clusters, return_inverse=True)
    if groups.size < FOLDS:
        return []
    fold = (rng.permutation(groups.size) % FOLDS)[group]
    return [fold == number for number in range(FOLDS)]


def can_validate(share: FloatArray, folds: Sequence[BoolArray]) -> bool:
    """Return True if labels vary both in the rows to learn from and in the rows to judge by."""
    parts = [share[rows] for fold in folds for rows in (fold, ~fold)]
    return bool(folds) and share.size >= MIN_ROWS and all(part.min() < part.max() for part in parts)


@dataclass(frozen=True)
class Validation:
    """The rows to choose by, and how."""

    table: InputTable
    rows: LabelledRows
    folds: Sequence[BoolArray]
    """The rows to judge by in each fold; the others are learned from."""
    known_share: float
    """Share of the rows that are judged with all their levels known."""
    boosting: BoostingConfig

    def choose(self, members: Sequence[Member]) -> tuple[WeighedMember, ...]:
        """Return the members of the best average, each with its number of trees."""
        variances = self.boosting.fit_rates(self.rows).variances
        weights = variances.fit_weight(self.rows.share, self.rows.trials)
        judged = np.concatenate([np.flatnonzero(fold) for fold in self.folds])
        label, weight = self.rows.share[judged], weights[judged]
        parts = [self._predict_fold(members, fold, weights) for fold in self.folds]
        trained, shares = [], []
        for number, member in enumerate(members):
            stages = np.concatenate([part[number] for part in parts], axis=1)
            best = _best_stage(stages, label, weight)
            trained.append(replace(member, trees=_checkpoints(member)[best]))
            shares.append(stages[best])
        chosen = select_members(np.stack(shares), label, weight)
        return tuple(
            WeighedMember(member, float(weight))
            for member, weight in zip(trained, chosen, strict=True)
            if weight > 0
        )

    def _predict_fold(
        self, members: Sequence[Member], fold: BoolArray, weights: FloatArray
    ) -> list[FloatArray]:
        """Return each member's shares of the judged rows, of shape (checkpoints, rows)."""
        seed = self.boosting.settings.random_state
        known, judged = self.rows.take(~fold), self.rows.take(fold)
        codes = hide_levels(judged.codes, self.known_share, np.random.default_rng(seed))
        shown = InputTable(self.table.numbers[fold], codes)
        rates = self.boosting.fit_rates(known)
        inputs = self.boosting.member_inputs(self.table.take(~fold), known, rates)
        predicted = []
        for member in members:
            fit = staged_fit(inputs, inputs.draw(member.encoding), self.boosting, member)
            others = StagedFit(
                inputs=inputs.encoder(member.encoding).encode(shown),
                label=judged.share,
                weight=weights[fold],
                parameters=fit.parameters,
            )
            predicted.append(fit.predict_stages(seed, others, _checkpoints(member)))
        return predicted


def _checkpoints(member: Member) -> tuple[int, ...]:
    return CHECKPOINTS if member.trees is None else (member.trees,)


def _best_stage(stages: FloatArray, label: FloatArray, weight: FloatArray) -> int:
    """Return the first stage with the least weighted log loss."""
    clipped = np.clip(stages, MIN_SHARE, 1 - MIN_SHARE)
    return int(np.argmin([(weight * row_log_loss(label, stage)).sum() for stage in clipped]))
