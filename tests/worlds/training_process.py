"""The command that trains, as a process of its own: started, killed, waited for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tests.worlds.processes import COMMAND, Program

SETTINGS: Final = {"trees": 150, "boosters": 2, "min_positives": 5, "min_rows": 30}

Sign = Callable[[Path], bool]
"""Tells by the run directory that the moment to kill has come."""


def environment(threads: int, settings: Mapping[str, float]) -> dict[str, str]:
    """Return that of this process with the settings of a quick training, some of them others."""
    values = {**SETTINGS, **settings, "threads": threads}
    named = {f"XUANPIN_TRAINING__{name.upper()}": str(value) for name, value in values.items()}
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return kept | named


def start(
    source: Path,
    out: Path,
    *,
    threads: int,
    flags: Sequence[str] = (),
    settings: Mapping[str, float] = MappingProxyType({}),
) -> Program:
    """Start a training, with more flags and other settings than every one has."""
    words = ["train", "--data", source, "--out", out, "--json", *flags]
    return Program(COMMAND, *words, environment=environment(threads, settings))


def kill_when(sign: Sign, out: Path, process: Program) -> None:
    """Kill a training as soon as the sign is seen."""
    with process:
        process.wait_until(lambda: sign(out))
        process.kill()
    assert process.returncode == -9


def finish(process: Program) -> tuple[dict[str, Any], str]:
    """Wait for a training; return what it printed and what it told."""
    printed, told = process.communicate()
    assert process.returncode == 0, told
    return json.loads(printed), told


def read_files(bundle: Path) -> dict[str, bytes]:
    """Return the bytes of each file of a bundle."""
    return {path.name: path.read_bytes() for path in bundle.iterdir()}
