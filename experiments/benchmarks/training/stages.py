"""Measure the stages of a command that says on standard error which stage begins."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Final

import psutil

SAMPLE_SECONDS: Final = 0.02
"""Between two looks at the memory; a peak that lasts for less may be missed."""
START: Final = "start"
_PROGRESS: Final = re.compile(r"\d+:\d\d:\d\d (?P<name>.+)")


@dataclass(frozen=True)
class StageCost:
    """The wall time of a stage, and the largest resident memory seen in it, libraries included."""

    name: str
    seconds: float
    peak_bytes: int


def measure_stages(command: Sequence[str]) -> tuple[StageCost, ...]:
    """Run a command in a process of its own and measure it from each progress line to the next.

    A progress line is a time and the name of a stage, as `xuanpin run` prints them; other lines on
    standard error are passed on. Memory of processes that the command starts isn't counted.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    with subprocess.Popen(  # noqa: S603 - the command is the benchmark's own
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        names: SimpleQueue[str] = SimpleQueue()
        Thread(target=_read_names, args=(process.stderr, names), daemon=True).start()
        costs = _watch(process, names)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return costs


def _read_names(stream: IO[str], names: SimpleQueue[str]) -> None:
    for line in stream:
        if progress := _PROGRESS.match(line):
            names.put(progress["name"])
        else:
            sys.stderr.write(line)


def _watch(process: subprocess.Popen[str], names: SimpleQueue[str]) -> tuple[StageCost, ...]:
    watched = psutil.Process(process.pid)
    costs: list[StageCost] = []
    name, start, peak = START, time.perf_counter(), 0
    while process.poll() is None:
        next_name = _take_name(names)
        now = time.perf_counter()
        if next_name is not None:
            costs.append(StageCost(name, now - start, peak))
            name, start, peak = next_name, now, 0
        peak = max(peak, _resident_bytes(watched))
    return (*costs, StageCost(name, time.perf_counter() - start, peak))


def _take_name(names: SimpleQueue[str]) -> str | None:
    """Return the name of a stage that has begun, or None if none does in `SAMPLE_SECONDS`."""
    try:
        return names.get(timeout=SAMPLE_SECONDS)
    except Empty:
        return None


def _resident_bytes(watched: psutil.Process) -> int:
    try:
        return int(watched.memory_info().rss)
    except psutil.Error:  # it has just ended
        return 0
