"""Refuse new requests for a while before the server stops, so that callers go elsewhere.

A server that stops to listen at once resets the connections that are still on their way. So after
SIGTERM the service first answers new requests with 503, and lets the server stop when the requests
in flight are answered.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
MASTER_VARIABLE: Final = "_XUANPIN_MASTER_PROCESS"
"""Environment variable with the id of the process that starts and ends the workers.

It is no setting, so its name doesn't begin as theirs do."""

CHECK_MASTER_SECONDS: Final = 0.5


class Drain:
    """The state of a process that was told to stop, and the number of requests in flight."""

    def __init__(self, *, seconds: float, patience: float) -> None:
        """Refuse for at least `seconds`, and wait `patience` seconds for requests in flight."""
        self.begun = asyncio.Event()
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._seconds = seconds
        self._patience = patience
        self._ending: asyncio.Task[None] | None = None

    @contextmanager
    def count_request(self) -> Iterator[None]:
        """Count a request as in flight until the block ends."""
        self._in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    @contextmanager
    def delay_signals(self) -> Iterator[None]:
        """Pass the first stop signal to the server's handler only after draining.

        A second signal passes at once. Signals reach a process's main thread only, so that the
        block does nothing in another one.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        handlers: dict[int, Any] = {each: signal.getsignal(each) for each in STOP_SIGNALS}

        def begin(number: int, frame: FrameType | None) -> None:
            handler = handlers[number]
            if not callable(handler):
                return
            if self.begun.is_set():
                handler(number, frame)
            else:
                self.begun.set()
                loop.call_soon_threadsafe(self._begin_ending, lambda: handler(number, None))

        for number in STOP_SIGNALS:
            signal.signal(number, begin)
        try:
            yield
        finally:
            for each, handler in handlers.items():
                signal.signal(each, handler)

    def _begin_ending(self, stop: Callable[[], Any]) -> None:
        self._ending = asyncio.get_running_loop().create_task(self._end(stop))

    async def _end(self, stop: Callable[[], Any]) -> None:
        await asyncio.sleep(self._seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), self._patience)
        stop()


async def stop_with_master(environment: Mapping[str, str]) -> None:
    """Tell this process to stop once the process that started it is gone, even by SIGKILL.

    Otherwise the workers would live on and keep the port. The environment names the master; without
    it there is nothing to watch.
    """
    master = environment.get(MASTER_VARIABLE, "")
    if not master.isdecimal():
        return
    while os.getppid() == int(master):  # noqa: ASYNC110 - the system sends no event of it
        await asyncio.sleep(CHECK_MASTER_SECONDS)
    signal.raise_signal(signal.SIGTERM)
