"""Errors of the real engine without memory or disk space become errors with a way out."""

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
    ("refuse", "message"),
    [
        (_too_large, "A query needs more memory, and more temporary space in "),
        (_onto_a_full_disk, "The disk is full. Free some space"),
    ],
)
def test_engine_refusal_becomes_a_storage_error_with_a_hint(
    refuse: Callable[[], None], message: str
) -> None:
    with pytest.raises(duckdb.Error) as caught:
        refuse()
    refused = as_engine_error(caught.value)
    assert isinstance(refused, StorageError)
    assert str(refused).startswith(message)
    assert refused.exit_code == 6


def test_query_too_large_names_the_temporary_directory() -> None:
    assert tempfile.gettempdir() in str(QueryTooLargeError())


@pytest.mark.parametrize("error", [ValueError("memory"), duckdb.BinderException("no such column")])
def test_other_engine_errors_are_not_storage_errors(error: Exception) -> None:
    assert as_engine_error(error) is None
