"""Data that nobody could have known anything of are refused with a way out."""

from __future__ import annotations

import pandas as pd
import pytest

from features.dataset import NoOrderKnownError
from tests.worlds import Engine, random_world


def test_cut_off_of_orders_that_were_never_known_is_refused() -> None:
    frames = random_world(0)
    orders = frames["orders"]
    never = pd.Series(pd.NaT, index=orders.index, dtype="datetime64[us]")
    frames["orders"] = orders.assign(available_at=never)
    with pytest.raises(NoOrderKnownError, match="Fill available_at in orders"):
        Engine(frames).dataset.cut_off_day()
