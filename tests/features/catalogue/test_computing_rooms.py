"""The fingerprint covers every room whose code decides a feature's value, whoever imports it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.catalogue import catalogue
from features.catalogue.catalogue import CATALOGUE, COMPUTING_ROOMS
from features.declarations.kinds import Derived

FEATURES = Path(catalogue.__file__).parents[1]
WAYS_TO_VALUES = (
    "point_in_time/snapshot_values.py",
    "point_in_time/training_rows.py",
    "point_in_time/imputed_stock.py",
    "declarations/functions.py",
)
"""Where snapshots and training rows, the stock they may rest on, and derived features are made."""
NO_VALUES = {
    "catalogue": "the fingerprint holds what it lists",
    "contract": "it says what a valid table is",
    "online": "its files have formats of their own",
    "runtime": "errors, text and the disk",
    "validation": "the digest of the validated tables stands beside the values",
}
"""Rooms that the ways to values import and that decide none, with the reason."""


def room_of(path: Path) -> str:
    return path.relative_to(FEATURES).parts[0]


def imported_by(path: Path) -> Iterator[Path]:
    """Yield the files of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}", *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Import):
            modules = [one.name for one in node.names]
        else:
            continue
        files = (FEATURES.parent / f"{module.replace('.', '/')}.py" for module in modules)
        yield from (file for file in files if file.is_relative_to(FEATURES) and file.is_file())


def rooms_on_the_ways() -> set[str]:
    """Return the rooms of files that make values, with all that they import from such rooms."""
    reached: set[Path] = set()
    ahead = {FEATURES / name for name in WAYS_TO_VALUES}
    while ahead:
        reached |= ahead
        computing = [path for path in ahead if room_of(path) not in NO_VALUES]
        ahead = {file for path in computing for file in imported_by(path)} - reached
    return {room_of(path) for path in reached}


def test_fingerprint_covers_all_rooms_on_the_ways_to_values() -> None:
    assert rooms_on_the_ways() == {*COMPUTING_ROOMS, *NO_VALUES}


@pytest.mark.parametrize("feature", CATALOGUE.derived, ids=lambda one: one.name)
def test_fingerprint_covers_the_function_of_a_derived_feature(feature: Derived) -> None:
    assert room_of(Path(inspect.getfile(feature.function))) in COMPUTING_ROOMS
