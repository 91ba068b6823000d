"""What the real engine says when memory or disk end becomes a message with a way out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from features.runtime.errors import StorageError
from features.runtime.refusals import QueryTooLargeError, as_engine_error


def _too_large() -> None:
    with duckdb.connect(config={"memory_limit": "30MB", "temp_directory": ""}) as connection:
        connection.execute("SELECT list(range) FROM range(100_000_000)").fetchall()


def _onto_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with duckdb.connect() as connection:
        connection.execute("COPY (SELECT random()::VARCHAR FROM range(100)) TO '/dev/full'")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (_too_large, "Expected room for what a query holds, in memory and where it spills to, "),
        (_onto_a_full_disk, "Expected room on the disk; found it is full. Free some space"),
    ],
)
def test_refusal_of_the_engine_says_the_way_out(ask: Callable[[], None], said: str) -> None:
    with pytest.raises(duckdb.Error) as met:
        ask()
    refused = as_engine_error(met.value)
    assert isinstance(refused, StorageError)
    assert str(refused).startswith(said)
    assert refused.exit_code == 6


def test_query_too_large_names_the_place_it_spills_to() -> None:
    assert tempfile.gettempdir() in str(QueryTooLargeError())


@pytest.mark.parametrize("error", [ValueError("memory"), duckdb.BinderException("no such column")])
def test_other_errors_are_nobody_elses_fault(error: Exception) -> None:
    assert as_engine_error(error) is None
