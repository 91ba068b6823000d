from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.dataset.days import DaySpan
from serving.prediction.seasonality import has_unseen_season, is_unseen_season

EPOCH = date(1970, 1, 1)
HORIZON = 28


def _day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def _leave_out(first: str, last: str, as_of: str) -> bool:
    learned = DaySpan(_day(first), _day(last))
    return bool(has_unseen_season(learned, np.array([_day(as_of)]), HORIZON)[0])


@pytest.mark.parametrize(
    ("as_of", "is_unseen"),
    [
        pytest.param("2025-06-01", False, id="among the learned days"),
        pytest.param("2025-10-07", False, id="up to the last learned day"),
        pytest.param("2025-10-08", True, id="a day beyond it"),
        pytest.param("2025-11-20", True, id="the first holidays"),
        pytest.param("2025-12-31", True, id="a day before a year after the first"),
        pytest.param("2026-01-01", False, id="a year after the first"),
        pytest.param("2026-10-07", False, id="a year after the last"),
        pytest.param("2026-10-09", True, id="the second autumn, of which nothing was learned"),
        pytest.param("2029-03-01", False, id="years later"),
        pytest.param("2029-11-20", True, id="the holidays, years later"),
        pytest.param("2024-12-20", True, id="before anything was learned"),
    ],
)
def test_season_is_unseen_where_no_year_before_shows_it(as_of: str, *, is_unseen: bool) -> None:
    assert _leave_out("2025-01-02", "2025-11-04", as_of) is is_unseen


def test_day_whole_years_after_the_last_learned_one_is_learned() -> None:
    """Seven years are 2,556.7 days, so that the last learned day comes again after 2,557."""
    learned = DaySpan(20_000, 20_037)
    assert not is_unseen_season(learned, np.array([20_037 + 2_557])).any()
    assert is_unseen_season(learned, np.array([20_037 + 2_558])).all()


@given(
    first=st.integers(10_000, 25_000),
    length=st.integers(366, 2_000),
    after=st.integers(0, 4_000),
    horizon=st.integers(1, 365),
)
def test_whole_year_shows_every_season(first: int, length: int, after: int, horizon: int) -> None:
    learned = DaySpan(first, first + length)
    assert not has_unseen_season(learned, np.array([first + after]), horizon).any()


@given(
    first=st.integers(10_000, 25_000),
    length=st.integers(0, 800),
    as_of=st.lists(st.integers(9_000, 28_000), min_size=1, max_size=5),
    horizon=st.integers(1, 60),
)
def test_seen_days_are_those_of_a_plain_loop(
    first: int, length: int, as_of: list[int], horizon: int
) -> None:
    last = first + length
    years = [round(k * 365.2425) for k in range(60)]

    def is_seen(day: int) -> bool:
        return any(first <= day - whole <= last for whole in years)

    expected = [not all(is_seen(day + k) for k in range(1, horizon + 1)) for day in as_of]
    actual = has_unseen_season(DaySpan(first, last), np.array(as_of), horizon)
    assert actual.tolist() == expected
