"""From the clocks of the shop, in London, to UTC."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from features.contract.columns import EARLIEST, LATEST

SHOP_TIME_ZONE: Final = "Europe/London"


def london_to_utc(local: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    """Return naive UTC times for naive times of London; what can't be a time becomes null.

    In autumn an hour comes twice: such a time is taken as the later of the two, because the
    engine may know an event late but never early. In spring an hour is left out: a time within it
    was on no clock, and becomes null, as does a time before 2000 or after 2100.
    """
    sane = local.where(local.between(pd.Timestamp(EARLIEST), pd.Timestamp(LATEST)))
    is_summer_time = np.zeros(len(sane), dtype=bool)
    aware = sane.dt.tz_localize(SHOP_TIME_ZONE, ambiguous=is_summer_time, nonexistent="NaT")
    return aware.dt.tz_convert("UTC").dt.tz_localize(None)
