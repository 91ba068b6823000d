"""`xuanpin train --engine dask`: a training on a real cluster beside one without, and refusals."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serving.bundle.bundle import load_bundle
from tests.worlds.training_process import SETTINGS, finish, start

DASK = ["--engine", "dask"]
WITH_OTHER_TREES = {"files", "metrics"}
"""What the manifests of two engines may differ in."""


@dataclass(frozen=True)
class Seen:
    """What two trainings in one run directory printed and told: here, then on a cluster."""

    source: Path
    out: Path
    here: dict[str, Any]
    there: dict[str, Any]
    told: str

    def bundle(self, document: dict[str, Any]) -> Path:
        return self.out / "bundles" / str(document["bundle_id"])

    def manifest(self, document: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.bundle(document) / "manifest.json").read_text())
        return found

    def card(self, document: dict[str, Any]) -> str:
        return (self.bundle(document) / "MODEL_CARD.md").read_text()


@pytest.fixture(scope="module")
def seen(year_market: Path, prepared_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    out = tmp_path_factory.mktemp("job") / "run"
    shutil.copytree(prepared_run, out)
    here, _ = finish(start(year_market, out, threads=1))
    there, told = finish(start(year_market, out, threads=1, flags=DASK))
    return Seen(year_market, out, here, there, told)


def test_training_on_dask_publishes_a_bundle_that_loads(seen: Seen) -> None:
    assert (seen.out / "bundles" / "CURRENT").read_text() == f"{seen.there['bundle_id']}\n"
    models = load_bundle(seen.bundle(seen.there)).models.targets
    assert {target: len(one.boosters) for target, one in models.items()} == {
        "sell_through": SETTINGS["boosters"],
        "return_risk": SETTINGS["boosters"],
    }


def test_training_on_dask_fits_there_and_goes_on_from_the_rows_kept(seen: Seen) -> None:
    """Boosters fitted here lie beside them, and are not taken for those of the cluster."""
    assert seen.there["reused"] == ["check", "features"]
    counts = [int(count) for count in re.findall(r"fitting (\d+) boosters", seen.told)]
    all_boosters = len(list((seen.out / "stages").glob("booster_*.json")))  # fitted here
    assert counts == [all_boosters]
    boosters = {
        name: load_bundle(seen.bundle(document)).models.targets["sell_through"].boosters[0].text
        for name, document in (("here", seen.here), ("there", seen.there))
    }
    assert "[tree_learner: data]" in boosters["there"]
    assert "[tree_learner: data]" not in boosters["here"]


def test_training_on_dask_is_described_and_judged_as_one_here(seen: Seen) -> None:
    here, there = (seen.manifest(document) for document in (seen.here, seen.there))
    for name in here.keys() - WITH_OTHER_TREES:
        assert there[name] == here[name], name
    assert there.keys() == here.keys()
    assert there["files"].keys() == here["files"].keys()
    assert there["metrics"].keys() == here["metrics"].keys()
    for target, ours in seen.here["evaluations"].items():
        theirs = seen.there["evaluations"][target]
        assert theirs["slices"] == ours["slices"]
        for predictor, metrics in ours["overall"].items():
            near = pytest.approx(metrics["log_loss"], rel=0.05)  # of 332 rows, with other trees
            assert theirs["overall"][predictor]["log_loss"] == near


def test_training_on_dask_has_the_card_of_one_here_but_for_its_numbers(seen: Seen) -> None:
    here, there = (
        seen.card(document).partition("## Return risk")[0] for document in (seen.here, seen.there)
    )
    until_metrics = "The model and the baselines on the latest slice."
    assert there.partition(until_metrics)[0] == here.partition(until_metrics)[0]
    assert re.findall(r"(?m)^#+ .*$", there) == re.findall(r"(?m)^#+ .*$", here)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Yield a port at which nobody listens, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_training_without_its_scheduler_ends_with_6_and_a_sentence(
    seen: Seen, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "1s")
    address = f"tcp://127.0.0.1:{closed_port}"
    process = start(seen.source, seen.out, threads=1, flags=[*DASK, "--scheduler", address])
    printed, told = process.communicate()
    assert (process.returncode, printed) == (6, "")
    assert told.splitlines()[-1] == (
        f"xuanpin: The Dask scheduler at {address} didn't answer within 1 s (OSError). "
        "Check the address and that `dask scheduler` runs there."
    )
    assert "Traceback" not in told
    assert (seen.out / "bundles" / "CURRENT").read_text() == f"{seen.there['bundle_id']}\n"
