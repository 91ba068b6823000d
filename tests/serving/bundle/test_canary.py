from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from features.runtime.pointer import resolve
from serving.bundle.canary import COVERAGE, Canary, check_canary, make_canary
from serving.bundle.canary_child import main
from serving.errors import CanaryError
from serving.prediction.predict import Models, predict
from tests.worlds.serving import bundle_contents, random_columns, random_markets

COLUMNS = random_columns(5, seed=41)


@pytest.fixture(scope="module")
def models() -> Models:
    return bundle_contents().models


@pytest.fixture(scope="module")
def canary(models: Models) -> Canary:
    return make_canary(models, COLUMNS, random_markets(5))


def test_canary_holds_rows_and_the_answers_to_the_bit(models: Models, canary: Canary) -> None:
    read = msgspec.json.decode(msgspec.json.encode(canary), type=Canary)
    predictions = predict(models, COLUMNS, random_markets(5), coverage=COVERAGE, demand=np.ones(5))
    expected = predictions.targets["return_risk"]
    assert read.expected["return_risk"]["high"] == expected.high.tolist()
    name = next(name for name, column in COLUMNS.items() if np.isnan(column).any())
    assert read.columns[name] == [None if np.isnan(v) else v for v in COLUMNS[name].tolist()]
    check_canary(models, read)


def _nudged(canary: Canary, by: float) -> dict[str, Any]:
    expected = msgspec.to_builtins(canary.expected)
    expected["sell_through"]["low"][2] += by
    return {"expected": expected}


@pytest.mark.parametrize("by", [1e-9, -1e-9, 0.5, float("nan")])
def test_canary_with_another_answer_is_refused(models: Models, canary: Canary, by: float) -> None:
    other = msgspec.structs.replace(canary, **_nudged(canary, by))
    with pytest.raises(CanaryError, match="sell_through low is off by"):
        check_canary(models, other)


def test_canary_off_by_rounding_is_accepted(models: Models, canary: Canary) -> None:
    check_canary(models, msgspec.structs.replace(canary, **_nudged(canary, 1e-14)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"columns": {}}, "rows instead of 1 to 256"),
        ({"columns": {"units_offered": [1.0, 2.0]}}, "its columns have [2, 5] rows"),
        ({"columns": {"units_offered": [1.0] * 5}}, "rows can't be predicted"),
        ({"markets": []}, "its columns have [0, 5] rows"),
        ({"expected": {}}, "targets"),
        ({"expected": {"sell_through": {}, "return_risk": {}}}, "has 5 rows instead of 0"),
    ],
)
def test_canary_of_another_form_is_refused(
    models: Models, canary: Canary, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CanaryError) as caught:
        check_canary(models, msgspec.structs.replace(canary, **change))
    assert reason in caught.value.problem


@pytest.mark.parametrize(("parent", "code"), [("os.getppid()", 0), ("os.getpid()", 1)])
def test_canary_child_ends_when_its_parent_is_gone(parent: str, code: int) -> None:
    program = (
        "import os, time; from serving.bundle.canary_process import end_with_parent; "
        f"end_with_parent({parent}); time.sleep({0 if code == 0 else 60})"
    )
    child = subprocess.run([sys.executable, "-c", program], check=False, timeout=30)
    assert child.returncode == code


def test_canary_child_tells_by_its_exit_code(
    run_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = resolve(run_directory / "bundles")
    assert main(directory, directory.name) == 0
    assert main(directory, "another") == 5
    copied = Path(shutil.copytree(directory, tmp_path / directory.name))
    (copied / "pooling.json").write_text("{}")
    assert main(copied, directory.name) == 5
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"bundle {directory.name} has replaced another"
    assert second.startswith("The file pooling.json has changed since the bundle was written")
