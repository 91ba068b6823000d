"""Measure in a separate process what a worker needs to open and use a snapshot."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from features.online.snapshot import LookupKeys, OnlineSnapshot

OPENS: Final = 20
_ROLLUP: Final = Path("/proc/self/smaps_rollup")
_KIBIBYTE: Final = 1_024


@dataclass(frozen=True)
class Opening:
    """Seconds to open, and the bytes of memory that opening and look-ups added."""

    opens: tuple[float, ...]
    anonymous_bytes: int
    """The worker's own memory."""
    mapped_bytes: int
    """Pages of the file in memory: all workers share them, and the system can drop them."""

    @property
    def median_seconds(self) -> float:
        """Return the median time of opening."""
        return median(self.opens)


def measure_opening(directory: Path, requests: Sequence[LookupKeys]) -> Opening:
    """Open a snapshot in a fresh process and look the requests up there."""
    message = json.dumps([asdict(keys) for keys in requests])
    finished = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "experiments.benchmarks.online.opening", str(directory)],
        input=message,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    result = json.loads(finished.stdout)
    return Opening(tuple(result["opens"]), result["anonymous_bytes"], result["mapped_bytes"])


def _measure(directory: Path, requests: Sequence[LookupKeys]) -> Opening:
    gc.collect()
    before = _memory()  # before the first opening: memory taken once must count
    opens = tuple(_open_once(directory) for _ in range(OPENS))
    snapshot = OnlineSnapshot.open(directory)
    for keys in requests:
        snapshot.look_up(keys)
    gc.collect()
    after = _memory()
    snapshot.close()
    return Opening(
        opens,
        anonymous_bytes=after["Anonymous"] - before["Anonymous"],
        mapped_bytes=(after["Rss"] - after["Anonymous"]) - (before["Rss"] - before["Anonymous"]),
    )


def _open_once(directory: Path) -> float:
    started = time.perf_counter()
    snapshot = OnlineSnapshot.open(directory)
    seconds = time.perf_counter() - started
    snapshot.close()
    return seconds


def _memory() -> dict[str, int]:
    """Return the memory of this process by kind, in bytes (man proc_pid_smaps)."""
    fields = (line.split() for line in _ROLLUP.read_text().splitlines()[1:])
    return {name.rstrip(":"): int(size) * _KIBIBYTE for name, size, *_ in fields}


if __name__ == "__main__":
    lookups = [LookupKeys(**keys) for keys in json.load(sys.stdin)]
    sys.stdout.write(json.dumps(asdict(_measure(Path(sys.argv[1]), lookups))))
