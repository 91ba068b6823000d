"""The command that trains, as a process of its own: started, killed, waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
SETTINGS: Final = {"trees": 150, "boosters": 2, "min_positives": 5, "min_rows": 30}
PATIENCE_SECONDS: Final = 100

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
) -> subprocess.Popen[str]:
    """Start a training, with more flags and other settings than every one has."""
    words = ["train", "--data", str(source), "--out", str(out), "--json", *flags]
    return subprocess.Popen(
        [sys.executable, "-m", "xuanpin", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(threads, settings),
    )


def wait_for(sign: Sign, out: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the sign is seen, while the process is alive."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not sign(out):
        assert process.poll() is None, "it ended before the sign came"
        assert time.monotonic() < end, "the sign never came"
        time.sleep(0.001)


def kill_when(sign: Sign, out: Path, process: subprocess.Popen[str]) -> None:
    """Kill a training as soon as the sign is seen."""
    with process:
        wait_for(sign, out, process)
        process.kill()
    assert process.returncode == -9


def finish(process: subprocess.Popen[str]) -> tuple[dict[str, Any], str]:
    """Wait for a training; return what it printed and what it told."""
    printed, told = process.communicate()
    assert process.returncode == 0, told
    return json.loads(printed), told


def read_files(bundle: Path) -> dict[str, bytes]:
    """Return the bytes of each file of a bundle."""
    return {path.name: path.read_bytes() for path in bundle.iterdir()}
