"""The files of decision logs, as tests look at them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serving.decision_log.chain_files import list_files
from serving.decision_log.verify import list_chains

PATIENCE_SECONDS = 60


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.002)


def chain_files(directory: Path) -> list[Path]:
    """Return the files of all chains in order."""
    return [file.path for chain in list_chains(directory) for file in list_files(chain)]


def read_log(directory: Path) -> list[dict[str, Any]]:
    """Return all rows, chain by chain in order."""
    tables = [pq.read_table(path) for path in chain_files(directory)]
    return list(pa.concat_tables(tables).to_pylist()) if tables else []
