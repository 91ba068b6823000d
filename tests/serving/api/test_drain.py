"""After a stop signal, requests are refused for a while and those in flight are answered."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NoReturn

import pytest
from starlette.exceptions import StarletteDeprecationWarning

from features.runtime.pointer import PointerError
from serving.api.app import build_app
from serving.api.drain import MASTER_VARIABLE, Drain, stop_with_master
from serving.api.settings import ServingSettings

with warnings.catch_warnings():
    # Starlette's client asks for httpx2, which BentoML and MLflow don't know yet.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

Scenario = Callable[[Drain, list[float]], Coroutine[Any, Any, None]]


@pytest.fixture(autouse=True)
def stops() -> Iterator[list[float]]:
    """The moments at which the server was told to stop, by a handler like the server's."""
    moments: list[float] = []
    earlier = signal.signal(signal.SIGTERM, lambda *_: moments.append(time.monotonic()))
    yield moments
    signal.signal(signal.SIGTERM, earlier)


async def without_requests(_drain: Drain, stops: list[float]) -> None:
    await asyncio.sleep(0.05)
    assert not stops
    await asyncio.sleep(0.2)
    assert len(stops) == 1


async def with_a_request(drain: Drain, stops: list[float]) -> None:
    with drain.count_request():
        await asyncio.sleep(0.25)
        assert not stops
    await asyncio.sleep(0.05)
    assert len(stops) == 1


async def with_a_request_that_hangs(drain: Drain, stops: list[float]) -> None:
    with drain.count_request():
        await asyncio.sleep(0.7)
        assert len(stops) == 1


async def with_a_second_signal(_drain: Drain, stops: list[float]) -> None:
    signal.raise_signal(signal.SIGTERM)
    assert len(stops) == 1


@pytest.mark.parametrize(
    "scenario", [without_requests, with_a_request, with_a_request_that_hangs, with_a_second_signal]
)
def test_server_stops_after_draining(stops: list[float], scenario: Scenario) -> None:
    async def run() -> None:
        drain = Drain(seconds=0.1, patience=0.4)
        with drain.delay_signals():
            signal.raise_signal(signal.SIGTERM)
            assert drain.begun.is_set()
            await scenario(drain, stops)

    asyncio.run(run())
    signal.raise_signal(signal.SIGTERM)
    assert len(stops) >= 2  # the server's own handler is back


def test_process_whose_master_is_gone_is_told_to_stop(stops: list[float]) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    asyncio.run(stop_with_master({MASTER_VARIABLE: str(child.pid)}))
    assert len(stops) == 1


@pytest.mark.parametrize("environment", [{}, {MASTER_VARIABLE: "x"}])
def test_process_without_a_master_watches_nothing(
    stops: list[float], environment: dict[str, str]
) -> None:
    asyncio.run(asyncio.wait_for(stop_with_master(environment), 0.5))
    assert stops == []


def test_process_whose_master_lives_goes_on() -> None:
    environment = {MASTER_VARIABLE: str(os.getppid())}
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(stop_with_master(environment), 0.1))


def test_draining_service_refuses_and_says_when_to_come_again() -> None:
    drain = Drain(seconds=0, patience=0)

    def refuse(_: object) -> NoReturn:
        raise PointerError(ServingSettings().bundles, "it has no file CURRENT")

    with TestClient(build_app(ServingSettings(), refuse, drain)) as client:
        drain.begun.set()
        assert client.get("/livez").status_code == 200
        for answer in (client.get("/readyz"), client.post("/v1/score", json={})):
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "stopping"
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["connection"] == "close"


def test_service_whose_loading_hangs_can_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.api.app.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("serving.api.app.LEAVE_SECONDS", 0.05)
    forever = threading.Event()

    def hang(_: object) -> NoReturn:
        forever.wait()
        raise PointerError(ServingSettings().bundles, "the disk hung")

    started = time.monotonic()
    with TestClient(build_app(ServingSettings(), hang)) as client:
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
    assert time.monotonic() - started < 2
    (loading,) = (thread for thread in threading.enumerate() if thread.name == "loading")
    assert loading.daemon
    forever.set()
    loading.join()
