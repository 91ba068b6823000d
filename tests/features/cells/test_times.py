"""Times in text against a slow search of all moments that a zone's clocks show as this time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells.times import read_times

REGIONS = ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe")
CHANGES = [
    datetime(2024, 3, 31, 2),  # noqa: DTZ001 - what clocks show
    datetime(2024, 10, 27, 2),  # noqa: DTZ001 - likewise
    datetime(2024, 3, 10, 2),  # noqa: DTZ001 - likewise
    datetime(2024, 11, 3, 1),  # noqa: DTZ001 - likewise
    datetime(2024, 10, 6, 2),  # noqa: DTZ001 - likewise
]
clocks = st.datetimes(
    min_value=datetime(2001, 1, 1),  # noqa: DTZ001 - what clocks show
    max_value=datetime(2036, 12, 31),  # noqa: DTZ001 - likewise
) | st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-90, 150),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def read(connection: duckdb.DuckDBPyConnection, *texts: str) -> list[datetime | None]:
    times: list[datetime | None] = read_times(connection, pa.chunked_array([texts])).to_pylist()
    return times


def search(local: datetime, region: str) -> datetime | None:
    """Return the latest UTC time at which the clocks of a region show a local time."""
    zone = ZoneInfo(region)
    moments = (local + timedelta(minutes=minutes) for minutes in range(-15 * 60, 15 * 60 + 1, 30))
    fitting = [
        moment
        for moment in moments
        if moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) == local
    ]
    return max(fitting, default=None)


@given(clocks, st.sampled_from(REGIONS))
def test_time_of_a_region_is_the_latest_moment_with_that_time_on_its_clocks(
    connection: duckdb.DuckDBPyConnection, local: datetime, region: str
) -> None:
    assert read(connection, f"{local.isoformat(sep=' ')} {region}") == [search(local, region)]


@given(clocks, st.integers(-14 * 60, 14 * 60), st.sampled_from(["", " ", "UTC", " GMT"]))
def test_time_with_an_offset_is_read_alike_in_every_spelling(
    connection: duckdb.DuckDBPyConnection, local: datetime, minutes: int, before: str
) -> None:
    offset = timezone(timedelta(minutes=minutes))
    utc = local.replace(tzinfo=offset).astimezone(UTC).replace(tzinfo=None)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    spellings = [
        f"{local.isoformat(sep=between)}{before}{sign}{hours:02}{colon}{rest:02}"
        for between in (" ", "T")
        for colon in (":", "")
    ]
    assert read(connection, *spellings) == [utc] * len(spellings)
