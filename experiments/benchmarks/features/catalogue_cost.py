"""Measure the full catalogue: spine, signals, base features of all levels, derived features."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa

from experiments.benchmarks.features.figures import CatalogueCost
from experiments.benchmarks.features.sampled_spine import sample_spine
from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.spine import build_spine
from features.point_in_time.training_rows import feature_rows
from features.point_in_time.visibility import AS_OF
from features.runtime.arrays import FloatArray

GB: Final = 10**9
BYTES_A_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Unit of `ru_maxrss`: macOS counts bytes, Linux kibibytes."""

Seconds = dict[str, float]


def measure_catalogue(validated: Path, spine_rows: int) -> CatalogueCost:
    """Compute the whole design matrix for a sample of the spine and return the cost.

    The spine is built in full, as in training, and sampled afterwards. Labels aren't computed.
    The peak memory is that of the whole process: give each call its own process.
    """
    seconds: Seconds = {}
    dataset = open_dataset(validated)
    cpu_start = time.process_time()
    signals = build_stored_rows(dataset, Horizons())  # a signal is computed when it is first read
    with _time_step("spine", seconds):
        spine = signals.store(sample_spine(signals.store(build_spine(signals)), spine_rows))
    with _time_step("base", seconds):
        rows = feature_rows(signals, CATALOGUE, spine)
        table = dataset.connection.to_pyarrow(rows.order_by(AS_OF, "listing_id"))
    with _time_step("derived", seconds):
        matrix = _matrix(table)
    return CatalogueCost(
        spine_rows=matrix.shape[0],
        columns=matrix.shape[1],
        spine_seconds=seconds["spine"],
        base_seconds=seconds["base"],
        derived_seconds=seconds["derived"],
        cpu_seconds=time.process_time() - cpu_start,
        peak_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_A_UNIT / GB,
    )


def _matrix(table: pa.Table) -> FloatArray:
    """Complete the matrix; learned parameters are all 1, because values don't change the cost."""
    inputs = (*CATALOGUE.request_fields, *CATALOGUE.base)
    columns = {declared.name: table[declared.name].to_numpy() for declared in inputs}
    return CATALOGUE.design_matrix(columns, dict.fromkeys(CATALOGUE.parameters, 1.0))


@contextmanager
def _time_step(step: str, seconds: Seconds) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start
