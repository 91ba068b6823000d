"""The fingerprint covers every room whose code decides a feature's value."""

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
ENTRY_POINTS = (
    "point_in_time/snapshot_values.py",
    "point_in_time/training_rows.py",
    "point_in_time/imputed_stock.py",
    "declarations/functions.py",
)
"""Files that compute snapshots, training rows, the imputed stock and derived features."""
ROOMS_WITHOUT_VALUES = {
    "catalogue": "the fingerprint contains its declarations",
    "contract": "it defines valid tables",
    "online": "its files have formats of their own",
    "runtime": "errors, text and the disk",
    "validation": "the digest of the validated tables is stored with the values",
}
"""Rooms that the entry points import and that decide no value, with the reason."""


def get_room(path: Path) -> str:
    return path.relative_to(FEATURES).parts[0]


def iterate_imports(path: Path) -> Iterator[Path]:
    """Yield the files of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        files = (FEATURES.parent / f"{module.replace('.', '/')}.py" for module in modules)
        yield from (file for file in files if file.is_relative_to(FEATURES) and file.is_file())


def find_reached_rooms() -> set[str]:
    """Return the rooms of the entry points and of all files that they import."""
    reached: set[Path] = set()
    frontier = {FEATURES / name for name in ENTRY_POINTS}
    while frontier:
        reached |= frontier
        computing = [path for path in frontier if get_room(path) not in ROOMS_WITHOUT_VALUES]
        frontier = {file for path in computing for file in iterate_imports(path)} - reached
    return {get_room(path) for path in reached}


def test_fingerprint_covers_all_rooms_that_entry_points_reach() -> None:
    assert find_reached_rooms() == {*COMPUTING_ROOMS, *ROOMS_WITHOUT_VALUES}


@pytest.mark.parametrize("feature", CATALOGUE.derived, ids=lambda feature: feature.name)
def test_fingerprint_covers_the_function_of_a_derived_feature(feature: Derived) -> None:
    assert get_room(Path(inspect.getfile(feature.function))) in COMPUTING_ROOMS
