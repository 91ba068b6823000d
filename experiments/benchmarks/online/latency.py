"""Measure look-up and derived features of a request, from the snapshot and from a dict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.column_blocks import ColumnBlocks
from features.online.contents import SnapshotContents
from features.online.key_bytes import join_key_parts
from features.online.snapshot import LookupKeys, OnlineSnapshot
from features.parity.compare import default_parameters
from features.runtime.arrays import FloatArray

WARM_UP: Final = 20
PRICE_AND_UNITS: Final = 1_000.0

Answer = Callable[[LookupKeys], ColumnBlocks]


@dataclass(frozen=True)
class Latency:
    """The seconds of each request."""

    seconds: tuple[float, ...]

    @property
    def p50(self) -> float:
        """Return the median."""
        return median(self.seconds)

    @property
    def p99(self) -> float:
        """Return the 99th percentile."""
        return quantiles(self.seconds, n=100)[-1]


class DictStore:
    """The baseline: every vector is a numpy row in a dict of this process."""

    def __init__(self, contents: SnapshotContents) -> None:
        self._rows = {
            level: dict(zip(map(join_key_parts, vectors.keys), vectors.values, strict=True))
            for level, vectors in contents.levels.items()
        }
        self._about = contents.about

    def columns(self, keys: LookupKeys) -> ColumnBlocks:
        """Return the base features of candidates by name."""
        blocks: dict[tuple[str, ...], FloatArray] = {}
        for level, about in self._about.levels.items():
            rows = self._rows[level]
            default = np.array(about.defaults, dtype=np.float64)
            vectors = [
                default if key is None else rows.get(key, default) for key in keys.at_level(level)
            ]
            blocks[about.features] = np.array(vectors).T
        return ColumnBlocks(blocks)


def measure_latency(
    catalogue: Catalogue,
    snapshot: OnlineSnapshot,
    store: DictStore,
    requests: Sequence[LookupKeys],
) -> tuple[Latency, Latency]:
    """Answer each request from the snapshot and from the dict, and compare the answers.

    Raises:
        ValueError: the two gave different bits.
    """
    parameters = default_parameters(catalogue)
    answers: tuple[Answer, Answer] = (lambda keys: snapshot.look_up(keys).columns, store.columns)
    taken: tuple[list[float], list[float]] = ([], [])
    for keys in requests:
        matrices = []
        for answer, seconds in zip(answers, taken, strict=True):
            started = time.perf_counter()
            columns = answer(keys).with_columns(_request_columns(catalogue, len(keys.market)))
            matrices.append(catalogue.design_matrix(columns, parameters))
            seconds.append(time.perf_counter() - started)
        if matrices[0].tobytes() != matrices[1].tobytes():
            raise ValueError("the snapshot and the dict gave different bits")
    of_snapshot, of_dict = (Latency(tuple(seconds[WARM_UP:])) for seconds in taken)
    return of_snapshot, of_dict


def _request_columns(catalogue: Catalogue, rows: int) -> dict[str, FloatArray]:
    return {field.name: np.full(rows, PRICE_AND_UNITS) for field in catalogue.request_fields}
