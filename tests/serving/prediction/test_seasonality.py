from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.dataset.days import DaySpan, to_day
from serving.prediction.seasonality import (
    MAX_UPLIFTS,
    TRAILING_DAYS,
    Seasons,
    Uplift,
    has_unseen_season,
    looks_at_unseen_season,
)

HORIZON = 28
LEARNED = DaySpan(
    to_day(datetime(2025, 1, 2, tzinfo=UTC)), to_day(datetime(2025, 11, 5, tzinfo=UTC))
)


def _rise(**changes: Any) -> Uplift:  # noqa: ANN401 - any field of a rise
    uplift = Uplift(name="x", first="11-26", last="12-23", uplift=0.4, markets=("US", "GB"))
    return msgspec.structs.replace(uplift, **changes)


def _midnight(text: str) -> int:
    return to_day(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _demand(as_of: str, market: str, *uplifts: Uplift) -> float:
    seasons = Seasons(learned=LEARNED, uplifts=uplifts)
    days, market_index = np.array([_midnight(as_of)]), np.zeros(1, np.int64)
    return float(seasons.demand(days, market_index, (market,), horizon_days=HORIZON)[0])


@pytest.mark.parametrize(
    ("as_of", "market", "uplift", "demand"),
    [
        pytest.param("2025-10-08", "US", {}, 1.0, id="all days ahead learned"),
        pytest.param("2025-10-29", "US", {}, 1.0, id="the last midnight with ordinary days ahead"),
        pytest.param("2025-10-30", "US", {}, 1 + 0.4 / 28, id="the last day ahead is the first"),
        pytest.param("2025-11-26", "US", {}, 1.4, id="all days ahead, none behind"),
        pytest.param("2025-12-10", "US", {}, 1.0, id="half ahead, half behind"),
        pytest.param("2025-12-03", "US", {}, (28 + 0.4 * 21) / (28 + 0.4 * 7), id="a week in"),
        pytest.param("2025-12-24", "US", {}, 1 / 1.4, id="all behind"),
        pytest.param("2026-01-21", "US", {}, 1.0, id="forgotten"),
        pytest.param("2026-11-26", "US", {}, 1.4, id="of the second year no more was learned"),
        pytest.param("2025-11-26", "DE", {}, 1.0, id="another market"),
        pytest.param("2025-11-26", "DE", {"markets": ()}, 1.4, id="everywhere"),
        pytest.param("2025-11-26", "GB", {"uplift": -0.5}, 0.5, id="less"),
        pytest.param(
            "2025-12-24", "US", {"first": "12-24", "last": "01-20"}, 1 + 0.4 * 8 / 28,
            id="over new year, whose days were learned from",
        ),
        pytest.param("2025-03-01", "US", {"first": "03-01", "last": "03-31"}, 1.0, id="learned"),
        pytest.param("2026-03-01", "US", {"first": "03-01", "last": "03-31"}, 1.0, id="a year on"),
    ],
)  # fmt: skip
def test_demand_is_the_mean_of_days_ahead_against_days_behind(
    as_of: str, market: str, uplift: dict[str, object], demand: float
) -> None:
    assert _demand(as_of, market, _rise(**uplift)) == pytest.approx(demand, rel=1e-12)


def test_demand_of_overlapping_rises_is_that_of_the_last_named() -> None:
    fair = _rise(first="12-01", last="12-14", uplift=1.0)
    expected = (14 * 2.0 + 14 * 1.4) / 28
    assert _demand("2025-11-26", "US", _rise(), fair) == pytest.approx(expected, rel=1e-12)
    assert _demand("2025-11-26", "US", fair, _rise()) == pytest.approx(1.4, rel=1e-12)


def test_days_known_as_outcomes_alone_count_as_news_to_features() -> None:
    """A model of outcomes up to 11 December has features of days up to 13 November."""
    learned = DaySpan(LEARNED.first, _midnight("2025-12-12"))
    seasons = Seasons(learned=learned, uplifts=(_rise(),))
    arguments = np.array([_midnight("2025-12-12")]), np.zeros(1, np.int64), ("US",)
    ahead, behind = 1 + 0.4 * 12 / 28, 1 + 0.4 * 16 / 28
    assert seasons.demand(*arguments, horizon_days=HORIZON)[0] == pytest.approx(ahead / behind)


def test_demand_of_nobody_is_empty() -> None:
    seasons = Seasons(learned=LEARNED, uplifts=(_rise(),))
    nobody = np.zeros(0, np.int64)
    assert seasons.demand(nobody, nobody, (), horizon_days=HORIZON).shape == (0,)


def test_demand_of_many_markets_is_each_one_s_own() -> None:
    uplifts = _rise(), _rise(first="12-01", last="12-14", uplift=1.0, markets=("DE", "US"))
    seasons = Seasons(learned=LEARNED, uplifts=uplifts)
    markets = ("US", "DE", "ID", "GB")
    market_index = np.array([3, 0, 1, 2, 0])
    day = np.full(5, _midnight("2025-11-28"))
    actual = seasons.demand(day, market_index, markets, horizon_days=HORIZON)
    alone = [_demand("2025-11-28", markets[at], *uplifts) for at in market_index]
    assert actual.tolist() == alone
    assert len(set(alone)) == 4


@given(
    as_of=st.lists(st.integers(19_000, 23_000), min_size=1, max_size=6),
    start=st.dates(date(2024, 1, 1), date(2024, 12, 31)),
    end=st.dates(date(2024, 1, 1), date(2024, 12, 31)),
    uplift=st.floats(-0.9, 5),
    length=st.integers(0, 800),
    horizon=st.integers(1, 60),
)
def test_demand_is_that_of_a_plain_loop_over_dates(
    as_of: list[int], start: date, end: date, uplift: float, length: int, horizon: int
) -> None:
    learned = DaySpan(20_000, 20_000 + length)
    uplift_days = _rise(first=f"{start:%m-%d}", last=f"{end:%m-%d}", uplift=uplift)

    def of(day: int, last: int) -> float:
        shown = (date(1970, 1, 1) + timedelta(days=day - 1)).strftime("%m-%d")
        inside = (
            uplift_days.first <= shown <= uplift_days.last
            if uplift_days.first <= uplift_days.last
            else shown >= uplift_days.first or shown <= uplift_days.last
        )
        years = [round(k * 365.2425) for k in range(1, 30)]
        is_news = day > last and not any(20_000 <= day - year <= last for year in years)
        return 1 + uplift if inside and is_news else 1.0

    expected = [
        np.mean([of(day + k, learned.last) for k in range(1, horizon + 1)])
        / np.mean([of(day - k, learned.last - horizon) for k in range(TRAILING_DAYS)])
        for day in as_of
    ]
    actual = Seasons(learned=learned, uplifts=(uplift_days,)).demand(
        np.array(as_of), np.ones(len(as_of), np.int64), ("DE", "US"), horizon_days=horizon
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    assert (actual[[day + horizon <= learned.last for day in as_of]] == 1.0).all()  # learned from


@pytest.mark.parametrize(
    "changes",
    [
        {"first": "13-01"},
        {"last": "12-32"},
        {"first": "1-1"},
        {"first": "11-26\n"},
        {"uplift": -1.0},
        {"uplift": 11.0},
    ],
)
def test_rise_out_of_bounds_is_refused_when_read(changes: dict[str, object]) -> None:
    text = msgspec.json.encode({**msgspec.to_builtins(_rise()), **changes})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Uplift)


def test_calendar_without_end_is_refused_when_read() -> None:
    many = msgspec.to_builtins(Seasons(learned=LEARNED, uplifts=(_rise(),) * (MAX_UPLIFTS + 1)))
    with pytest.raises(msgspec.ValidationError, match="length <= 50"):
        msgspec.convert(many, Seasons, strict=False)


def test_demand_of_one_market_is_that_of_many_to_the_last_bit() -> None:
    seasons = Seasons(learned=LEARNED, uplifts=(_rise(),))
    markets = ("DE", "US", "JP")
    for day in range(LEARNED.last - 40, LEARNED.last + 400, 17):
        index = np.arange(len(markets))
        together = seasons.demand(np.full(3, day), index, markets, horizon_days=HORIZON)
        alone = [seasons.demand_of_market(day, one, horizon_days=HORIZON) for one in markets]
        assert together.tolist() == alone
        unseen = has_unseen_season(LEARNED, np.array([day]), HORIZON)
        assert looks_at_unseen_season(LEARNED, day, HORIZON) is bool(unseen[0])
