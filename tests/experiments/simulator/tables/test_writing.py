"""A simulated market on disk: equal bytes, other bytes, and what may stand where it goes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.tables.simulate import simulate
from experiments.simulator.tables.writing import truth_directory
from features.contract.tables import TABLES
from features.runtime.atomic import ForeignDirectoryError
from tests.worlds.simulated import TINY

LITTLE = TINY.model_copy(update={"products": 60, "chunk_products": 30, "days": 90})


def every_byte(directory: Path) -> dict[str, bytes]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def test_simulated_market_of_one_seed_is_the_same_bytes(tmp_path: Path) -> None:
    market = LITTLE.model_copy(update={"dirty": 0.05})
    for name in ("one", "two"):
        simulate(market, tmp_path / name)
    assert every_byte(tmp_path / "one") == every_byte(tmp_path / "two")
    assert every_byte(tmp_path / "one-truth") == every_byte(tmp_path / "two-truth")


def test_simulated_market_of_another_seed_differs_in_every_drawn_table(tmp_path: Path) -> None:
    simulate(LITTLE, tmp_path / "one")
    simulate(LITTLE.model_copy(update={"seed": 1}), tmp_path / "two")
    one, two = every_byte(tmp_path / "one"), every_byte(tmp_path / "two")
    alike = {name.partition("/")[0] for name in one if one[name] == two.get(name)}
    assert alike == {"requirements"}


def test_simulated_market_does_not_read_the_global_random_state(tmp_path: Path) -> None:
    for name, state in (("one", 1), ("two", 2)):
        np.random.seed(state)  # noqa: NPY002 - the global state is what must not matter
        simulate(LITTLE, tmp_path / name)
    assert every_byte(tmp_path / "one") == every_byte(tmp_path / "two")


def test_simulated_market_holds_every_table_and_nothing_else(tmp_path: Path) -> None:
    rows = simulate(LITTLE, tmp_path / "market")
    folders = {path.name for path in (tmp_path / "market").iterdir()}
    assert folders == {table.name for table in TABLES} == set(rows)
    for name in folders:
        assert pq.read_table(tmp_path / "market" / name).num_rows == rows[name] > 0


def test_simulated_market_keeps_its_truth_out_of_the_data(tmp_path: Path) -> None:
    simulate(LITTLE, tmp_path / "market")
    truth = truth_directory(tmp_path / "market")
    assert {path.name for path in truth.iterdir()} == {
        "moments",
        "candidates",
        "dirt.json",
        "simulation.json",
    }
    assert truth.parent == tmp_path
    written = json.loads((truth / "simulation.json").read_text())
    assert Simulation.model_validate(written) == LITTLE


def test_simulated_market_replaces_an_earlier_one(tmp_path: Path) -> None:
    simulate(LITTLE.model_copy(update={"products": 90}), tmp_path / "market")
    simulate(LITTLE, tmp_path / "market")
    simulate(LITTLE, tmp_path / "fresh")
    assert every_byte(tmp_path / "market") == every_byte(tmp_path / "fresh")


@pytest.mark.parametrize("occupied", ["market", "market-truth"])
def test_simulated_market_refuses_to_replace_other_things(tmp_path: Path, occupied: str) -> None:
    (tmp_path / occupied).mkdir()
    (tmp_path / occupied / "thesis.txt").write_text("years of work")
    with pytest.raises(
        ForeignDirectoryError, match=rf"{occupied} holds other files: thesis\.txt\."
    ):
        simulate(LITTLE, tmp_path / "market")
    assert (tmp_path / occupied / "thesis.txt").read_text() == "years of work"


def test_random_streams_differ_by_seed_mechanism_and_chunk() -> None:
    streams = [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1)]
    draws = [tuple(generator(*stream).integers(0, 2**62, 4)) for stream in streams]
    assert len(set(draws)) == len(streams)
    assert draws[0] == tuple(generator(0, "a", 0).integers(0, 2**62, 4))
