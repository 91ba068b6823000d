"""Learn what is usual in a market, for explanations to compare candidates with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.init_score import LOT
from serving.prediction.target_model import REQUIRED_TARGET, TargetModel
from serving.prediction.usual_listings import UsualListing, UsualListings, UsualOfMarkets
from training.data.cold_start_rows import Masked
from training.data.training_input import TrainingInput

MAX_ROWS: Final = 500
"""Rows of a market that count. A mean of more rows moves by less than a tenth of a point, and each
costs as much as the explanation of a candidate."""


def learn_usual_listings(
    training_input: TrainingInput, models: Mapping[Target, TargetModel], known: IntArray
) -> UsualOfMarkets:
    """Return what is usual among the latest of the `known` rows of each market, and of all.

    New listings are the copies whose listing is masked, because candidates look like them.
    """
    training_set = training_input.training_set
    latest = known[np.argsort(-training_set.as_of_day[known], kind="stable")]
    masked = training_set.masked[latest]
    listed, new = latest[masked == Masked.NOTHING], latest[masked == Masked.LISTING]
    markets = training_set.keys["market"]

    def describe(rows: IntArray) -> UsualListing:
        return describe_usual(models, training_input.design_matrix(rows[:MAX_ROWS]))

    def describe_both(code: int | None) -> UsualListings:
        picked = [
            rows if code is None else rows[markets.codes[rows] == code] for rows in (listed, new)
        ]
        usual = [describe(rows) for rows in picked if rows.size]
        return UsualListings(listed=usual[0], new=usual[-1])

    present = np.unique(markets.codes[latest[masked != Masked.PRODUCT]]).tolist()
    return UsualOfMarkets(
        all_markets=describe_both(None),
        markets={markets.names[code]: describe_both(code) for code in present},
    )


def describe_usual(models: Mapping[Target, TargetModel], matrix: FloatArray) -> UsualListing:
    """Return what is usual among rows of the design matrix, at the usual demand."""
    usual_demand = np.ones(len(matrix))
    parts = {
        target: model.split_margin(matrix, usual_demand).inputs.mean(axis=0).tolist()
        for target, model in models.items()
    }
    values = [_median(column) for column in matrix.T]
    lot = models[REQUIRED_TARGET].names.index(LOT)
    values[lot] = float(np.exp(np.log(matrix[:, lot]).mean()))  # its part is a mean of logarithms
    return UsualListing(values=values, parts=parts)


def _median(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else None
