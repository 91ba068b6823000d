"""Run all measurements of the online snapshot on one synthetic snapshot."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from experiments.benchmarks.online.latency import DictStore, Latency, measure_latency
from experiments.benchmarks.online.opening import Opening, measure_opening
from experiments.benchmarks.online.synthetic import (
    draw_listings,
    synthetic_contents,
    synthetic_market,
)
from features.catalogue.catalogue import CATALOGUE
from features.online.snapshot import OnlineSnapshot
from features.online.writer import write_snapshot

CANDIDATES: Final = 100
LOOKUPS: Final = 100
"""Requests that the fresh process answers, each of `CANDIDATES` candidates."""
SEED: Final = 20_260_501
MILLISECONDS: Final = 1_000
MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True)
class OnlineBenchmarkResult:
    """The results of all measurements."""

    keys: int
    file_bytes: int
    write_seconds: float
    opening: Opening
    snapshot: Latency
    dictionary: Latency

    def facts(self) -> dict[str, Any]:
        """Return the results by name; the name ends in the unit."""
        return {
            "keys": self.keys,
            "file_mib": round(self.file_bytes / MEBIBYTE, 1),
            "write_seconds": round(self.write_seconds, 2),
            "open_p50_ms": round(self.opening.median_seconds * MILLISECONDS, 3),
            "open_worst_ms": round(max(self.opening.opens) * MILLISECONDS, 3),
            "own_memory_mib": round(self.opening.anonymous_bytes / MEBIBYTE, 2),
            "mapped_mib": round(self.opening.mapped_bytes / MEBIBYTE, 2),
            "candidates": CANDIDATES,
            "snapshot_p50_ms": round(self.snapshot.p50 * MILLISECONDS, 3),
            "snapshot_p99_ms": round(self.snapshot.p99 * MILLISECONDS, 3),
            "dict_p50_ms": round(self.dictionary.p50 * MILLISECONDS, 3),
            "dict_p99_ms": round(self.dictionary.p99 * MILLISECONDS, 3),
            "ratio_p50": round(self.snapshot.p50 / self.dictionary.p50, 2),
            "ratio_p99": round(self.snapshot.p99 / self.dictionary.p99, 2),
        }

    def to_json(self) -> str:
        """Return the results as JSON."""
        return json.dumps(self.facts(), indent=2) + "\n"


def bench_snapshot(
    keys: int, requests: int, progress: Callable[[str, int], None]
) -> OnlineBenchmarkResult:
    """Measure a snapshot of about `keys` keys with requests of `CANDIDATES` candidates each."""
    rng = np.random.default_rng(SEED)
    progress("making vectors", 0)
    market = synthetic_market(keys, rng)
    contents = synthetic_contents(market, CATALOGUE, rng)
    lookups = [market.keys(draw_listings(market, rng, CANDIDATES)) for _ in range(requests)]
    count = sum(len(level.keys) for level in contents.levels.values())
    with tempfile.TemporaryDirectory(prefix="xuanpin-bench-") as temporary:
        directory = Path(temporary)
        progress("writing the snapshot", count)
        started = time.perf_counter()
        write_snapshot(contents, directory)
        write_seconds = time.perf_counter() - started
        progress("opening it", count)
        opening = measure_opening(directory, lookups[:LOOKUPS])
        progress("answering requests", requests)
        snapshot = OnlineSnapshot.open(directory)
        latencies = measure_latency(CATALOGUE, snapshot, DictStore(contents), lookups)
        snapshot.close()
        size = sum(file.stat().st_size for file in directory.iterdir())
    return OnlineBenchmarkResult(count, size, write_seconds, opening, *latencies)
