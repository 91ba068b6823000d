"""What a worker pays to open a snapshot and to use it: measured in a process of its own."""

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
    """Seconds to open, and the memory that opening and many look-ups added, in bytes."""

    opens: tuple[float, ...]
    anonymous_bytes: int
    """The worker's own memory: nobody shares it."""
    mapped_bytes: int
    """Pages of the file in memory: all workers share them, and the system may drop them."""

    @property
    def median_seconds(self) -> float:
        """Return the median time of opening."""
        return median(self.opens)


def measure_opening(directory: Path, requests: Sequence[LookupKeys]) -> Opening:
    """Open a snapshot in a fresh process, look the requests up there, and return what it cost."""
    given = json.dumps([asdict(keys) for keys in requests])
    finished = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "experiments.benchmarks.online.opening", str(directory)],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    found = json.loads(finished.stdout)
    return Opening(tuple(found["opens"]), found["anonymous_bytes"], found["mapped_bytes"])


def _measure(directory: Path, requests: Sequence[LookupKeys]) -> Opening:
    gc.collect()
    before = _memory()  # ahead of the first: what it takes once, later ones don't take again
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
    taken = time.perf_counter() - started
    snapshot.close()
    return taken


def _memory() -> dict[str, int]:
    """Return what the system counts for this process, in bytes (man proc_pid_smaps)."""
    fields = (line.split() for line in _ROLLUP.read_text().splitlines()[1:])
    return {name.rstrip(":"): int(size) * _KIBIBYTE for name, size, *_ in fields}


if __name__ == "__main__":
    lookups = [LookupKeys(**keys) for keys in json.load(sys.stdin)]
    sys.stdout.write(json.dumps(asdict(_measure(Path(sys.argv[1]), lookups))))
