"""The lines in quarantine: as the source has them, but for the customer's number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from features.importers.online_retail.fates import Fate
from features.importers.online_retail.report import REASONS
from features.importers.online_retail.source import SOURCE_NAMES

CUSTOMER: str = "CustomerID"


def quarantine_table(
    source: pa.Table, outcomes: pd.Series[str], buyer_keys: pd.Series[str]
) -> pa.Table:
    """Return the quarantined lines as text, with `row_number` (from 1), `buyer_key`, `reason`.

    The customer's number is left out: outside the source, buyers appear only as pseudonyms.
    """
    names = [name for name, reason in REASONS.items() if reason.fate is Fate.QUARANTINED]
    rows = np.flatnonzero(outcomes.isin(names))
    taken = source.take(pa.array(rows))
    shown = {name: taken[name].cast(pa.string()) for name in SOURCE_NAMES if name != CUSTOMER}
    return pa.table(
        {
            "row_number": pa.array(rows + 1, type=pa.int64()),
            **shown,
            "buyer_key": pa.array(buyer_keys.iloc[rows], type=pa.string(), from_pandas=True),
            "reason": pa.array(outcomes.iloc[rows], type=pa.string()),
        }
    )
