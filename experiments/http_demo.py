"""Score and explain the first candidates of a run over HTTP: `python -m experiments.http_demo RUN`.

The demonstration starts `xuanpin serve` on a free port of this machine, waits until it is ready,
asks for scores and an explanation, and stops it.
"""

from __future__ import annotations

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
from typing import Any, Final, Literal

import msgspec

from features.runtime.errors import ArtefactError, StorageError, XuanpinError
from serving.api.launch import build_command, build_environment
from serving.api.settings import ServingSettings
from serving.batch.candidate_file import open_candidates
from serving.scoring.candidates import Candidate
from training.pipeline.propose_candidates import CANDIDATES

MAX_CANDIDATES: Final = 3
TIMEOUT_SECONDS: Final = 60


class NotReadyError(ArtefactError):
    """Report a service that didn't become ready in time."""

    def __init__(self, run: Path, last_answer: str, timeout_seconds: float) -> None:
        super().__init__(
            problem=f"The service wasn't ready within {timeout_seconds:g} s: {last_answer}.",
            hint=f"Start it by hand and read its messages: `xuanpin serve --run {run}`.",
        )


class NoCandidatesError(StorageError):
    """Report a run directory without a file of candidates."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"There are no candidates in {path}.",
            hint="Make a run with `xuanpin run`: it proposes candidates.",
        )


def read_candidates(path: Path) -> list[dict[str, str | int]]:
    """Return the first candidates of a file in the form of a request.

    Raises:
        NoCandidatesError: the file doesn't exist.
    """
    if not path.is_file():
        raise NoCandidatesError(path)
    batches = open_candidates(path).batches()
    rows = next((batch.candidates[:MAX_CANDIDATES] for batch in batches), [])
    candidates = [msgspec.structs.asdict(row) for row in rows if isinstance(row, Candidate)]
    return [
        {name: value for name, value in candidate.items() if value is not None}
        for candidate in candidates
    ]


@contextmanager
def run_service(run: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> Iterator[str]:
    """Start the service of a run and yield its address; the service stops when the block ends.

    Raises:
        NotReadyError: the service doesn't become ready.
    """
    settings = ServingSettings(run=run.resolve(), port=_free_port())
    address = f"http://{settings.host}:{settings.port}"
    process = subprocess.Popen(  # noqa: S603 - our own command
        build_command(), env=build_environment(settings, os.environ)
    )
    try:
        last_answer = _wait_until_ready(address, process, timeout_seconds)
        if last_answer is not None:
            raise NotReadyError(run, last_answer, timeout_seconds)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(settings.graceful_seconds + TIMEOUT_SECONDS)


def ask(
    address: str, question: Literal["score", "explain"], candidates: list[dict[str, str | int]]
) -> dict[str, Any]:
    """Ask for scores or explanations of candidates and return the service's answer."""
    request = urllib.request.Request(  # noqa: S310 - http, on this machine
        f"{address}/v1/{question}",
        data=json.dumps({"candidates": candidates}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - likewise
        answered: dict[str, Any] = json.load(answer)
    return answered


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(
    address: str, process: subprocess.Popen[bytes], timeout_seconds: float
) -> str | None:
    """Return None when the service is ready, or its last answer if it doesn't become ready."""
    deadline, last_answer = time.monotonic() + timeout_seconds, "no answer"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1):  # noqa: S310 - http, here
                return None
        except urllib.error.HTTPError as error:
            last_answer = error.read().decode(errors="replace").strip()
        except OSError as error:
            last_answer = str(error)
        time.sleep(0.1)
    return last_answer


def main() -> None:
    """Print the scores of a run's first candidates; on failure one message and an exit code."""
    try:
        print_scores(Path(sys.argv[1]))
    except XuanpinError as error:
        print(f"xuanpin: {error}", file=sys.stderr)  # noqa: T201 - a command's output
        sys.exit(error.exit_code)


def print_scores(run: Path) -> None:
    """Print scores of the first candidates of a run directory, and an explanation of the first.

    Raises:
        NoCandidatesError: the run has no file of candidates.
        NotReadyError: the service isn't ready in time.
    """
    candidates = read_candidates(run / CANDIDATES)
    if not candidates:
        print("The run proposed no candidate, so there is nothing to request.")  # noqa: T201 - a command's output
        return
    with run_service(run) as address:
        print(f"POST {address}/v1/score")  # noqa: T201 - a command's output
        for scored in ask(address, "score", candidates)["candidates"]:
            sell_through, risk = scored["sell_through"], scored["return_risk"]
            print(  # noqa: T201 - likewise
                f"  {scored['candidate_id']}: sell-through {_format_share(sell_through)}, "
                f"return risk {_format_share(risk)}, flags {', '.join(scored['flags']) or 'none'}"
            )
        print(f"POST {address}/v1/explain")  # noqa: T201 - likewise
        for explained in ask(address, "explain", candidates[:1])["candidates"]:
            for line in _describe_explanation(explained):
                print(f"  {line}")  # noqa: T201 - likewise


def _describe_explanation(explained: dict[str, Any]) -> Iterator[str]:
    """Yield the estimates of a candidate and what moves them, in words."""
    for target, name in (("sell_through", "sell-through"), ("return_risk", "return risk")):
        explanation = explained[target]
        if explanation is None:
            continue
        yield (
            f"{explained['candidate_id']}: {name} "
            f"{explanation['estimate']:.1%}, usual in the market {explanation['usual']:.1%}"
        )
        for effect in explanation["features"]:
            yield f"  {effect['words']['en']}"


def _format_share(share: dict[str, float] | None) -> str:
    if share is None:
        return "not known"
    return f"{share['estimate']:.1%} ({share['low']:.1%} to {share['high']:.1%})"


if __name__ == "__main__":
    main()
