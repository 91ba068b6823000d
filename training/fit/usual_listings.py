"""Learn what is usual in a market, for explanations to compare candidates with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.target_model import TargetModel
from serving.prediction.usual_listings import UsualListing, UsualListings

MAX_ROWS: Final = 500
"""Rows of a market that count. A mean of more rows moves by less than a tenth of a point, and each
costs as much as the explanation of a candidate."""


def learn_usual_listings(
    models: Mapping[Target, TargetModel],
    matrix: FloatArray,
    markets: Sequence[str],
    as_of_day: IntArray,
) -> UsualListings:
    """Return what is usual among the latest rows of each market, and of all markets.

    `matrix` holds the rows that the models learned from, shape (rows, inputs); `markets` and
    `as_of_day` have one entry a row. Demand is the usual one, without a calendar.
    """
    market_of_row = np.array(markets)
    latest = np.argsort(-as_of_day, kind="stable")
    picked = {
        market: latest[market_of_row[latest] == market][:MAX_ROWS]
        for market in sorted(set(markets))
    }
    return UsualListings(
        all_markets=_describe(models, matrix[latest[:MAX_ROWS]]),
        markets={market: _describe(models, matrix[rows]) for market, rows in picked.items()},
    )


def _describe(models: Mapping[Target, TargetModel], matrix: FloatArray) -> UsualListing:
    usual_demand = np.ones(len(matrix))
    parts = {
        target: model.split_margin(matrix, usual_demand).inputs.mean(axis=0).tolist()
        for target, model in models.items()
    }
    return UsualListing(values=[_median(column) for column in matrix.T], parts=parts)


def _median(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else None
