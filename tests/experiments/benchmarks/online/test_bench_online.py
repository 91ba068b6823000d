"""The bench of the online snapshot measures what it says, on a snapshot of its own making."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.benchmarks.online.benchmark import bench_snapshot
from experiments.benchmarks.online.latency import DictStore, measure_latency
from experiments.benchmarks.online.synthetic import (
    draw_listings,
    synthetic_contents,
    synthetic_market,
)
from features.catalogue.catalogue import CATALOGUE
from features.declarations.levels import Level
from features.online.contents import LevelVectors
from features.online.snapshot import OnlineSnapshot
from features.online.writer import write_snapshot


def test_bench_reports_every_figure_and_a_worker_pays_next_to_nothing() -> None:
    told: list[str] = []
    facts = json.loads(bench_snapshot(3_000, 200, lambda stage, _: told.append(stage)).to_json())
    assert told == ["making vectors", "writing the snapshot", "opening it", "answering requests"]
    assert 2_500 < facts["keys"] < 4_500
    assert facts["own_memory_mib"] < 8
    assert 0 < facts["open_p50_ms"] <= facts["open_worst_ms"]
    assert 0 < facts["snapshot_p50_ms"] <= facts["snapshot_p99_ms"]
    assert facts["ratio_p50"] == pytest.approx(
        facts["snapshot_p50_ms"] / facts["dict_p50_ms"], rel=0.01
    )


def test_bench_refuses_to_compare_what_differs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    market = synthetic_market(1_000, rng)
    contents = synthetic_contents(market, CATALOGUE, rng)
    write_snapshot(contents, tmp_path)
    one = contents.levels[Level.MARKET]
    levels = {**contents.levels, Level.MARKET: LevelVectors(one.keys, one.values + 1)}
    other = DictStore(replace(contents, levels=levels))
    requests = [market.keys(draw_listings(market, rng, 5))]
    with pytest.raises(ValueError, match="different bits"):
        measure_latency(CATALOGUE, OnlineSnapshot.open(tmp_path), other, requests)
