"""The true expectation of each training row, found by its listing and moment."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from experiments.simulator.truth.reader import Truth
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from training.data.training_set import TrainingSet

EXPECTED: Final[dict[Target, str]] = {
    "sell_through": "expected_sell_through",
    "return_risk": "expected_return_rate",
}


def look_up_expectations(
    truth: Truth, training_set: TrainingSet, rows: IntArray, target: Target
) -> FloatArray:
    """Return what was to be expected of rows of the training set, NaN where nobody knows.

    A copy that knows less has the truth of the row that it was made of.
    """
    listings = training_set.keys["listing_id"]
    requested = pd.MultiIndex.from_arrays(
        [np.array(listings.names, object)[listings.codes[rows]], training_set.as_of_day[rows]]
    )
    moments = truth.moments().select(["listing_id", "as_of_day", EXPECTED[target]]).to_pandas()
    keys = pd.MultiIndex.from_arrays([moments["listing_id"].astype(object), moments["as_of_day"]])
    known = pd.Series(moments[EXPECTED[target]].to_numpy(), index=keys)
    return np.asarray(known.reindex(requested).to_numpy(), np.float64)
