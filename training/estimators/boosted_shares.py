"""Boosters that start from shrinkage and learn what the pooled rates leave unexplained.

The log odds of the pooled rate are the offset of the trees: with nothing else to learn, the model
is the pooled rate. Why: docs/decisions/boosting-on-shrinkage.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from scipy.special import expit, logit

from features.runtime.arrays import FloatArray
from serving.prediction.booster import Booster
from training.boosting.booster_fit import BoosterFit
from training.boosting.objectives import booster_parameters
from training.encoding.input_table import InputTable
from training.encoding.out_of_fold import encode_out_of_fold
from training.encoding.target_encoder import EncodedRows, LabelledRows, LevelEncoder
from training.estimators.share_calibrator import RawShares
from training.settings import TrainingSettings
from training.shrinkage.variance_components import Variances

MIN_OFFSET_SHARE: Final = 1e-3
"""Offsets stay this far from 0 and 1, where trees can still correct them."""


@dataclass(frozen=True)
class BoostingConfig:
    """How to fit the boosters of a table."""

    settings: TrainingSettings
    leaf_ridge: float
    """LightGBM's lambda_l2, in rows of mean weight."""
    known_share: float
    """Share of the rows that boosters see with all their levels known."""
    path: tuple[int, ...]
    """The columns of categories, wide to narrow, whose pooled rate is the baseline."""
    monotone: tuple[int, ...]
    """-1, 0 or 1 for each column of numbers."""


@dataclass(frozen=True)
class BoostedShares:
    """Boosters as text, with the encoder of their inputs."""

    encoder: LevelEncoder
    texts: tuple[str, ...]

    @property
    def variances(self) -> Variances:
        """Return how much rows differ, by chance and beyond it."""
        return self.encoder.variances

    def predict(self, table: InputTable) -> RawShares:
        """Return raw shares: the mean log odds of the boosters, added to the baseline."""
        encoded = self.encoder.encode(table.codes)
        matrix = _matrix(table, encoded)
        margins = [_margin(_load_booster(text).predict(matrix)) for text in self.texts]
        share = expit(_offset(encoded) + np.mean(margins, axis=0))
        return RawShares(np.asarray(share, np.float64), encoded.is_cold)


def boost_shares(table: InputTable, rows: LabelledRows, boosting: BoostingConfig) -> BoostedShares:
    """Fit the encoder, then the boosters on rows that are encoded out of fold."""
    encoder = LevelEncoder.fit(rows, boosting.path)
    fits = booster_fits(table, rows, boosting, encoder)
    return BoostedShares(encoder, tuple(fit.fit(seed) for seed, fit in fits))


def booster_fits(
    table: InputTable, rows: LabelledRows, boosting: BoostingConfig, encoder: LevelEncoder
) -> Iterator[tuple[int, BoosterFit]]:
    """Yield each booster's seed and fit; each draws its own out-of-fold encodings of the rows."""
    settings = boosting.settings
    weight = encoder.variances.evidence(rows.share, rows.trials)
    weight /= weight.mean()
    rng = np.random.default_rng(settings.random_state)
    encodings = encode_out_of_fold(encoder, rows, boosting.known_share, rng)
    for seed in range(settings.random_state, settings.random_state + settings.boosters):
        encoded = encodings.draw(rng)
        matrix = _matrix(table, encoded)
        yield (
            seed,
            BoosterFit(
                matrix,
                rows.share,
                weight,
                names=[f"x{index}" for index in range(matrix.shape[1])],
                parameters=_parameters(boosting, matrix.shape[1]),
                trees=settings.trees,
                offset=_offset(encoded),
            ),
        )


def _parameters(boosting: BoostingConfig, width: int) -> dict[str, Any]:
    monotone = [*boosting.monotone, *[0] * (width - len(boosting.monotone))]
    parameters = booster_parameters(monotone, boosting.settings)
    return {**parameters, "lambda_l2": boosting.leaf_ridge}


def _matrix(table: InputTable, encoded: EncodedRows) -> FloatArray:
    return np.concatenate([table.numbers, encoded.inputs], axis=1)


def _offset(encoded: EncodedRows) -> FloatArray:
    share = np.clip(encoded.baseline, MIN_OFFSET_SHARE, 1 - MIN_OFFSET_SHARE)
    return np.asarray(logit(share), np.float64)


def _margin(share: FloatArray) -> FloatArray:
    """Return the sum of a booster's trees, which `Booster.predict` returns as a share."""
    return np.asarray(logit(share), np.float64)


@lru_cache(maxsize=64)
def _load_booster(text: str) -> Booster:
    return Booster(text)
