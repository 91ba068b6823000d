"""Every error that a user can meet, as the sentence that is printed."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import experiments
import features
import serving
import training
from features.runtime.errors import (
    ArtefactError,
    DataError,
    SettingsError,
    StorageError,
    TrainingError,
    XuanpinError,
)

TESTS = Path(__file__).parent
TABLES = sorted((TESTS / "sentences").rglob("*.py"))
SENTENCES: list[tuple[XuanpinError, str]] = [
    pair
    for path in TABLES
    for pair in importlib.import_module(
        ".".join(("tests", *path.relative_to(TESTS).with_suffix("").parts))
    ).SENTENCES
]
BASES = {XuanpinError, ArtefactError, DataError, SettingsError, StorageError, TrainingError}
MAX_LENGTH = 600
SERVICE = "serving.api.service"
"""Nobody imports it; BentoML does."""


def subclasses(base: type[XuanpinError]) -> set[type[XuanpinError]]:
    direct = set(base.__subclasses__())
    return direct.union(*(subclasses(error) for error in direct)) if direct else direct


def user_errors() -> set[type[XuanpinError]]:
    """Return all classes of the product that are raised themselves."""
    for package in (features, serving, training, experiments):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name != SERVICE:
                importlib.import_module(module.name)
    families = {error for error in subclasses(XuanpinError) if error.__subclasses__()}
    ours = {error for error in subclasses(XuanpinError) if not error.__module__.startswith("tests")}
    return ours - BASES - families


@pytest.mark.parametrize(
    ("error", "sentence"), SENTENCES, ids=lambda value: type(value).__name__[:60]
)
def test_error_prints_its_problem_and_the_way_out(error: XuanpinError, sentence: str) -> None:
    assert str(error) == sentence
    assert sentence == f"{error.problem} {error.hint}"


@pytest.mark.parametrize("error", [error for error, _ in SENTENCES], ids=lambda e: type(e).__name__)
def test_error_is_written_as_sentences(error: XuanpinError) -> None:
    for part in (error.problem, error.hint):
        assert part == part.strip()
        assert part[-1] in ".?!)", part
        assert len(part) <= MAX_LENGTH
    assert error.problem[0].isupper() or not error.problem[0].isalpha()


def test_every_error_a_user_can_meet_stands_in_the_table() -> None:
    assert user_errors() - {type(error) for error, _ in SENTENCES} == set()
