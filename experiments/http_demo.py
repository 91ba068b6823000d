"""Score the first candidates of a run over HTTP, by the real service: `python -m` this module.

It starts `xuanpin serve` on a free port of this machine, waits until it is ready, asks, and stops
it again.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from features.runtime.errors import ArtefactError, StorageError
from serving.api.launch import build_command, build_environment
from serving.api.settings import ServingSettings
from training.pipeline.main_job import CANDIDATES

MAX_SHOWN: Final = 3
TIMEOUT_SECONDS: Final = 60
INTEGER_COLUMNS: Final = ("list_price_minor", "units_offered")


class NotReadyError(ArtefactError):
    """Report a service that didn't get ready in time."""

    def __init__(self, run: Path, said: str, timeout_seconds: float) -> None:
        super().__init__(
            expected=f"the service to be ready within {timeout_seconds:g} s",
            found=said,
            way_out=f"Start it by hand and see what it says: xuanpin serve --run {run}",
        )


class NoCandidatesError(StorageError):
    """Report a run directory without candidates to ask for."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            expected=f"candidates in {path}",
            found="none",
            way_out="Make a run with `xuanpin run`; it proposes candidates.",
        )


def read_candidates(path: Path) -> list[dict[str, str | int]]:
    """Return the first candidates of a CSV file as the API takes them.

    Raises:
        NoCandidatesError: there is no file, or no row in it.
    """
    if not path.is_file():
        raise NoCandidatesError(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for _, row in zip(range(MAX_SHOWN), csv.DictReader(file), strict=False)]
    if not rows:
        raise NoCandidatesError(path)
    return [
        {name: int(cell) if name in INTEGER_COLUMNS else cell for name, cell in row.items() if cell}
        for row in rows
    ]


@contextmanager
def run_service(run: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> Iterator[str]:
    """Yield the address of a service of a run, which stops in order when the block ends.

    Raises:
        NotReadyError: it doesn't get ready.
    """
    settings = ServingSettings(run=run.resolve(), port=_free_port())
    address = f"http://{settings.host}:{settings.port}"
    process = subprocess.Popen(  # noqa: S603 - our own command
        build_command(settings), env=build_environment(settings, os.environ)
    )
    try:
        said = _wait_until_ready(address, process, timeout_seconds)
        if said is not None:
            raise NotReadyError(run, said, timeout_seconds)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(settings.graceful_seconds + TIMEOUT_SECONDS)


def request_scores(address: str, candidates: list[dict[str, str | int]]) -> dict[str, Any]:
    """Return the service's answer for candidates."""
    request = urllib.request.Request(  # noqa: S310 - http, on this machine
        f"{address}/v1/score",
        data=json.dumps({"candidates": candidates}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - likewise
        scored: dict[str, Any] = json.load(answer)
    return scored


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(
    address: str, process: subprocess.Popen[bytes], timeout_seconds: float
) -> str | None:
    """Return None once the service is ready, else what it said last."""
    give_up, said = time.monotonic() + timeout_seconds, "no answer"
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1):  # noqa: S310 - http, here
                return None
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
        except OSError as error:
            said = str(error)
        time.sleep(0.1)
    return said


def main() -> None:
    """Ask for the first candidates of the run directory named on the command line."""
    run = Path(sys.argv[1])
    candidates = read_candidates(run / CANDIDATES)
    with run_service(run) as address:
        print(f"POST {address}/v1/score")  # noqa: T201 - a command's output
        for one in request_scores(address, candidates)["candidates"]:
            share, risk = one["sell_through"], one["return_risk"]
            print(  # noqa: T201 - likewise
                f"  {one['candidate_id']}: sell-through {_format_share(share)}, "
                f"return risk {_format_share(risk)}, flags {', '.join(one['flags']) or 'none'}"
            )


def _format_share(share: dict[str, float] | None) -> str:
    if share is None:
        return "not known"
    return f"{share['estimate']:.1%} ({share['low']:.1%} to {share['high']:.1%})"


if __name__ == "__main__":
    main()
