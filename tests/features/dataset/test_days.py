"""Day numbers keep the order of moments around midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.dataset.days import NotAMidnightError, as_of_to_day, to_datetime, to_day

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
DAYS = st.integers(11_000, 47_000)


@given(moment=MOMENTS, day=DAYS)
def test_day_of_a_moment_reaches_an_as_of_exactly_when_the_moment_does(
    moment: datetime, day: int
) -> None:
    near = to_datetime(day) + (moment - to_datetime(to_day(moment)))
    for time in (moment, near, to_datetime(day)):
        assert (to_day(time) <= day) == (time <= to_datetime(day))


@given(day=DAYS)
def test_midnight_is_its_own_day(day: int) -> None:
    assert as_of_to_day(to_datetime(day)) == day
    assert to_day(to_datetime(day) + timedelta(microseconds=1)) == day + 1


def test_as_of_within_a_day_is_refused_with_the_way_out() -> None:
    with pytest.raises(NotAMidnightError, match=r"as_of 2026-03-01T09:00.*Name the day alone"):
        as_of_to_day(datetime(2026, 3, 1, 9, tzinfo=UTC))
