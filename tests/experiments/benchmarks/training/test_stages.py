"""Stages of a child process that is known to hold more memory in one of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from experiments.benchmarks.training.stages import measure_stages

PROGRAM = """
import sys, time
def stage(name):
    print("0:00:01", name, file=sys.stderr, flush=True)
    time.sleep(0.15)
stage("small: before")
kept = b"x" * 100_000_000
stage("large: all of it")
del kept
stage("small: after")
"""


def test_each_stage_has_its_own_time_and_peak() -> None:
    start, before, large, after = measure_stages([sys.executable, "-c", PROGRAM])
    names = [cost.name for cost in (start, before, large, after)]
    assert names == ["start", "small: before", "large: all of it", "small: after"]
    assert large.peak_bytes > after.peak_bytes + 90_000_000
    assert all(0.1 < cost.seconds < 10 for cost in (before, large, after))


def test_command_that_fails_is_no_measurement() -> None:
    program = "import sys; print('0:00:00 at work', file=sys.stderr); sys.exit(3)"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        measure_stages([sys.executable, "-c", program])
    assert refused.value.returncode == 3
