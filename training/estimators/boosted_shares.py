"""Boosters of several members, averaged; they start from shrinkage and learn what it leaves.

With nothing else to learn, a member is what its trees start from, such as the pooled rate of the
groups. Why: docs/decisions/boosting-on-shrinkage.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import expit, logit

from features.runtime.arrays import FloatArray
from serving.prediction.booster import Booster
from training.boosting.objectives import booster_parameters
from training.encoding.input_table import InputTable
from training.encoding.target_encoder import LabelledRows
from training.estimators.member_inputs import Encoder, MemberInputs
from training.estimators.share_calibrator import RawShares
from training.portfolio.members import Member
from training.portfolio.staged_fit import Inputs, StagedFit
from training.settings import TrainingSettings
from training.shrinkage.group_rates import ShrunkenRates
from training.shrinkage.variance_components import Variances


@dataclass(frozen=True)
class BoostingConfig:
    """How to fit the boosters of a table, whatever their member."""

    settings: TrainingSettings
    """Capacity is the members'; the rest holds for all."""
    known_share: float
    """Share of the rows that boosters see with all their levels known."""
    path: tuple[int, ...]
    """The columns of categories, wide to narrow, whose pooled rate is the baseline."""
    monotone: tuple[int, ...]
    """-1, 0 or 1 for each column of numbers."""

    def fit_rates(self, rows: LabelledRows) -> ShrunkenRates:
        """Return the pooled rates of the path."""
        return ShrunkenRates.fit(rows.codes[:, self.path], rows.share, rows.trials)

    def member_inputs(
        self, table: InputTable, rows: LabelledRows, rates: ShrunkenRates
    ) -> MemberInputs:
        """Return the rows of a fit for the members to encode; `rates` are those of the path."""
        return MemberInputs(
            table,
            rows,
            rates,
            path=self.path,
            monotone=self.monotone,
            known_share=self.known_share,
            rng=np.random.default_rng(self.settings.random_state),
        )


@dataclass(frozen=True)
class WeighedMember:
    """A member with a number of trees, and its weight in the average."""

    member: Member
    weight: float


@dataclass(frozen=True)
class BoostedMember:
    """The boosters of a member as text, with the encoder of their inputs."""

    encoder: Encoder
    texts: tuple[str, ...]
    weight: float

    def predict(self, table: InputTable) -> FloatArray:
        """Return shares: the mean log odds of the boosters, added to what they start from."""
        inputs = self.encoder.encode(table)
        margins = [_margin(_load_booster(text).predict(inputs.matrix)) for text in self.texts]
        odds = inputs.offset + np.mean(margins, axis=0) if margins else inputs.offset
        return np.asarray(expit(odds), np.float64)


@dataclass(frozen=True)
class BoostedShares:
    """The members that were chosen, and the pooled rates of the path."""

    rates: ShrunkenRates
    path: tuple[int, ...]
    members: tuple[BoostedMember, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the boosters of all members as text."""
        return tuple(text for member in self.members for text in member.texts)

    @property
    def variances(self) -> Variances:
        """Return how much rows differ, by chance and beyond it."""
        return self.rates.variances

    def predict(self, table: InputTable) -> RawShares:
        """Return raw shares: the weighted average of the members."""
        share = np.sum([one.weight * one.predict(table) for one in self.members], axis=0)
        is_cold = self.rates.look_up(table.codes[:, self.path]).is_cold
        return RawShares(np.clip(share, 0.0, 1.0), is_cold)


def boost_shares(
    table: InputTable,
    rows: LabelledRows,
    boosting: BoostingConfig,
    members: Sequence[WeighedMember],
) -> BoostedShares:
    """Fit the encoders, then the boosters on rows that are encoded out of fold."""
    rates = boosting.fit_rates(rows)
    inputs = boosting.member_inputs(table, rows, rates)
    fitted = tuple(
        BoostedMember(
            inputs.encoder(one.member.encoding),
            tuple(
                fit.fit(seed, one.member.trees or 0)
                for seed, fit in booster_fits(inputs, boosting, one)
            ),
            one.weight,
        )
        for one in members
    )
    return BoostedShares(rates, boosting.path, fitted)


def booster_fits(
    inputs: MemberInputs, boosting: BoostingConfig, one: WeighedMember
) -> Iterator[tuple[int, StagedFit]]:
    """Yield each booster's seed and fit; each draws its own out-of-fold encodings of the rows.

    Members share the boosters by their weights, and each has at least one.
    """
    count = max(round(boosting.settings.boosters * one.weight), 1) if one.member.trees else 0
    for seed in range(boosting.settings.random_state, boosting.settings.random_state + count):
        yield seed, staged_fit(inputs, inputs.draw(one.member.encoding), boosting, one.member)


def staged_fit(
    inputs: MemberInputs, drawn: Inputs, boosting: BoostingConfig, member: Member
) -> StagedFit:
    """Return the fit of a booster to rows that were drawn in the member's encoding."""
    return StagedFit(
        inputs=drawn,
        label=inputs.rows.share,
        weight=inputs.weight,
        parameters=member_parameters(boosting, member, drawn.matrix.shape[1]),
    )


def member_parameters(boosting: BoostingConfig, member: Member, width: int) -> dict[str, Any]:
    """Return LightGBM's parameters for a member whose trees see `width` columns."""
    monotone = [*boosting.monotone, *[0] * (width - len(boosting.monotone))]
    return {
        **booster_parameters(monotone, boosting.settings),
        "num_leaves": member.leaves,
        "learning_rate": member.learning_rate,
        "min_data_in_leaf": member.min_samples_leaf,
        "lambda_l2": member.leaf_ridge,
    }


def _margin(share: FloatArray) -> FloatArray:
    """Return the sum of a booster's trees, which `Booster.predict` returns as a share."""
    return np.asarray(logit(share), np.float64)


@lru_cache(maxsize=64)
def _load_booster(text: str) -> Booster:
    return Booster(text)
