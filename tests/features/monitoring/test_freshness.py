"""Freshness: what is usual is learned from the table, regular or random."""

from __future__ import annotations

from datetime import datetime

import ibis
import numpy as np
import pandas as pd
import pytest

from features.dataset.dataset import Dataset
from features.monitoring.check import check_freshness
from features.monitoring.freshness import Arrivals, TableAge, compute_age, find_arrivals

DAILY = list(range(100))
MONTHLY = list(range(0, 901, 30))
WEEKDAYS = [day for day in range(140) if day % 7 < 5]


@pytest.mark.parametrize(
    ("days", "as_of", "limit", "is_stale"),
    [
        pytest.param(DAILY, 99, 3, False, id="daily, today"),
        pytest.param(DAILY, 102, 3, False, id="daily, a long weekend"),
        pytest.param(DAILY, 103, 3, True, id="daily, four days ago"),
        pytest.param(WEEKDAYS, 143, 6, False, id="weekdays, within a week"),
        pytest.param(WEEKDAYS, 144, 6, True, id="weekdays, a week ago"),
        pytest.param(MONTHLY, 960, 60, False, id="monthly, one missing"),
        pytest.param(MONTHLY, 961, 60, True, id="monthly, two missing"),
        pytest.param([*DAILY[:30], *range(70, 270)], 273, 3, True, id="an outage long ago"),
        pytest.param(DAILY[:10], 999, None, False, id="too few to tell"),
        pytest.param([], 5, None, False, id="never"),
    ],
)
def test_age_of_a_table_is_judged_by_its_own_rhythm(
    days: list[int], as_of: int, limit: int | None, *, is_stale: bool
) -> None:
    age = compute_age(Arrivals("stock", days), as_of)
    assert (age.limit, age.is_stale) == (limit, is_stale)


def test_limit_of_the_user_takes_the_place_of_the_usual_one() -> None:
    assert compute_age(Arrivals("stock", DAILY), 106, 7) == TableAge("stock", 7, 7)
    assert compute_age(Arrivals("stock", [1]), 9, 7).is_stale


def test_random_arrivals_are_seldom_called_stale() -> None:
    rng = np.random.default_rng(0)
    stale = 0
    for _ in range(300):
        days = np.unique(np.cumsum(rng.exponential(5.0, 400)).astype(int)).tolist()
        stale += compute_age(Arrivals("reviews", days[:-1]), days[-1]).is_stale
    assert stale <= 2


def test_arrivals_are_the_days_by_which_rows_were_known() -> None:
    known = [datetime(1970, 1, 2), datetime(1970, 1, 2, 5), None, datetime(1970, 1, 9)]  # noqa: DTZ001 - naive UTC, as validated tables have it
    rows = pd.DataFrame({"listing_id": "L", "event_time": known[0], "available_at": known})
    connection = ibis.duckdb.connect()
    tables = {"stock": connection.create_table("stock", rows)}
    dataset = Dataset(connection=connection, tables=tables, digest="")
    assert find_arrivals(dataset, 7) == [Arrivals("stock", [1, 2])]
    assert find_arrivals(dataset, 8) == [Arrivals("stock", [1, 2, 8])]
    imputed = Dataset(connection=connection, tables=tables, digest="", imputed=("stock",))
    assert find_arrivals(imputed, 8) == []


def test_freshness_report_names_the_stalest_first_and_who_cannot_be_judged() -> None:
    ages = [
        TableAge("stock", 7, 3),
        TableAge("orders", 0, 3),
        TableAge("returns", 40, 10),
        TableAge("prices", 9, None),
    ]
    report = check_freshness(ages)
    assert [one.subject for one in report.findings] == ["returns", "stock"]
    assert report.findings[0].says == "the newest row became known 40 days ago; the limit is 10"
    assert report.judged == 3
    assert report.remarks == ("Too few days with rows to learn the usual gap: prices.",)
