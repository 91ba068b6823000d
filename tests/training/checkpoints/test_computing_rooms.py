"""A stage's key covers every room whose code can decide the stage's result."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from training.checkpoints.code_version import (
    COMPUTING_ROOMS,
    JUDGING_ROOMS,
    PAGE_PATTERNS,
    ROOT,
)

JOB = ROOT / "training" / "pipeline" / "job.py"
"""It makes all stages of a training."""
ORIGIN = ROOT / "training" / "backtest" / "judge_origin.py"
"""It makes what the stages of a backtest keep."""
NO_RESULTS = {
    "training/backtest": "it repeats finished trainings; keys of its stages hold its rooms",
    "features/monitoring": "its statistics go into the bundle, which no stage keeps",
    "features/runtime": "errors, text, progress and the disk",
    "serving/bundle": "every training writes its bundle anew",
    "serving/conformal": "intervals are made after the boosters, and no stage keeps them",
    "serving/errors.py": "errors",
    "training/calibration": "it begins where the boosters end, and no stage keeps it",
    "training/checkpoints": "it decides whether a stage is made, not what it makes",
    "training/errors.py": "errors",
    "training/evaluation": "it judges models that are finished",
    "training/pipeline": "it passes on the rows and settings that the keys hold",
    "training/tracking": "it records trainings that are finished",
}
"""Rooms that the job imports and that decide no stage's result, with the reason."""


def room_of(path: Path) -> str:
    """Return the folder of a storey, or the file that lies in the storey itself."""
    return "/".join(path.relative_to(ROOT).parts[:2])


def imported_by(path: Path) -> Iterator[Path]:
    """Yield the files of the product that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        files = (ROOT / f"{module.replace('.', '/')}.py" for module in modules)
        yield from (file for file in files if file.is_file())


def files_of_stages(start: Path = JOB, no_results: Collection[str] = NO_RESULTS) -> set[Path]:
    """Return what a maker of stages imports, and what the rooms that compute import."""
    reached: set[Path] = set()
    ahead = {start}
    while ahead:
        reached |= ahead
        computing = [path for path in ahead if path == start or room_of(path) not in no_results]
        ahead = {file for path in computing for file in imported_by(path)} - reached
    return reached


def test_key_of_a_stage_covers_all_rooms_that_the_job_computes_with() -> None:
    assert {room_of(path) for path in files_of_stages()} == {*COMPUTING_ROOMS, *NO_RESULTS}


def test_key_of_a_judged_origin_covers_the_rooms_that_judge_too() -> None:
    no_results = NO_RESULTS.keys() - set(JUDGING_ROOMS)
    rooms = {room_of(path) for path in files_of_stages(ORIGIN, no_results)}
    assert set(JUDGING_ROOMS) <= rooms <= {*COMPUTING_ROOMS, *JUDGING_ROOMS, *no_results}


@pytest.mark.parametrize("pattern", PAGE_PATTERNS)
def test_stages_import_no_page(pattern: str) -> None:
    assert [path for path in files_of_stages() if path.match(pattern)] == []
