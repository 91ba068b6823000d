"""The estimators that `training` offers, imported when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import training

ROOT = Path(__file__).parents[2]
HEAVY = ("lightgbm", "numpy", "pandas", "sklearn")


@pytest.mark.parametrize("name", ["ReturnRiskModel", "SellThroughModel", "ShrinkageModel"])
def test_package_offers_its_estimators(name: str) -> None:
    estimator = getattr(training, name)
    assert estimator.__name__ == name
    assert hasattr(estimator(), "predict_interval")
    assert name in training.__all__
    assert name in dir(training)


def test_package_refuses_a_name_that_it_has_not() -> None:
    with pytest.raises(AttributeError, match=r"^module 'training' has no attribute 'Model'$"):
        _ = training.Model


def test_package_alone_imports_no_library() -> None:
    code = f"import sys, training; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"
