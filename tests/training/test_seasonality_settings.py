from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.dataset.days import DaySpan
from features.runtime.errors import XuanpinError
from features.runtime.settings import load_section
from serving.prediction.seasonality import Seasons, Uplift
from training.settings import TrainingSettings

CALENDAR = """
[[training.seasonal_uplifts]]
name = "fair"
first = "{first}"
last = "{last}"
uplift = {uplift}
markets = {markets}
"""


def _settings(directory: Path, **changes: str) -> TrainingSettings:
    facts = {"first": "03-01", "last": "03-14", "uplift": "0.25", "markets": "['DE']", **changes}
    path = directory / "settings.toml"
    path.write_text(CALENDAR.format(**facts))
    return load_section(TrainingSettings, "training", path)


def test_calendar_is_read_from_the_file_in_place_of_the_default(tmp_path: Path) -> None:
    (found,) = _settings(tmp_path).seasonal_uplifts
    expected = Uplift(name="fair", first="03-01", last="03-14", uplift=0.25, markets=("DE",))
    assert found.to_uplift() == expected


def test_calendar_can_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[training]\nseasonal_uplifts = []\n")
    assert load_section(TrainingSettings, "training", path).seasonal_uplifts == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"first": "02-30"},
        {"last": "13-01"},
        {"first": "3-1"},
        {"uplift": "-1"},
        {"markets": "['UK']"},
        {"uplift": "nan"},
        {"uplift": "inf"},
        {"uplift": "11"},
        {"markets": "['Germany']"},
        {"markets": "['DE']\nstrength = 1"},
    ],
    ids=str,
)
def test_calendar_that_says_nothing_sensible_is_refused(
    changes: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(XuanpinError, match="seasonal_uplifts"):
        _settings(tmp_path, **changes)


def test_calendar_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    one = CALENDAR.format(first="03-01", last="03-14", uplift=0.25, markets=[])
    path.write_text(one * 51)
    with pytest.raises(XuanpinError, match="seasonal_uplifts"):
        load_section(TrainingSettings, "training", path)


def test_default_calendar_speaks_of_christmas_where_it_is_kept() -> None:
    uplifts = tuple(one.to_uplift() for one in TrainingSettings().seasonal_uplifts)
    seasons = Seasons(learned=DaySpan(20_000, 20_010), uplifts=uplifts)
    eve_of_rise = int(np.datetime64("2026-11-26").astype("datetime64[D]").astype(np.int64))
    demand = seasons.demand(
        np.array([eve_of_rise] * 2), np.array([0, 1]), ("US", "ID"), horizon_days=28
    )
    np.testing.assert_allclose(demand, [1.4, 1.0])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"first": "13-40"}, "should be a month and day such as 11-26. "),
        ({"markets": "['UK']"}, "should be an ISO 3166 code such as GB. "),
    ],
)
def test_calendar_that_no_year_or_market_has_is_refused_in_a_sentence(
    tmp_path: Path, changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(XuanpinError) as caught:
        _settings(tmp_path, **changes)
    assert sentence in str(caught.value)
    assert "Value error" not in str(caught.value)
