"""Run functions in a few threads, with a short queue and a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.scoring.refusals import RequestRefusedError

T = TypeVar("T")


class BoundedWorkerPool:
    """Run functions outside the event loop, at most a fixed number at once.

    A function that misses its deadline in the queue is dropped. One that has started runs to its
    end, because a thread can't be stopped. It keeps its slot, so that unfinished work stays
    bounded.
    """

    def __init__(self, *, threads: int, max_waiting: int) -> None:
        """Start without threads; the first functions create them."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self._capacity = threads + max_waiting
        self._in_use = 0

    async def run(self, seconds: float, function: Callable[[], T]) -> T:
        """Return the function's result; call only from the event loop.

        Raises:
            RequestRefusedError: overloaded, or deadline_exceeded after `seconds`.
        """
        if self._in_use >= self._capacity:
            raise RequestRefusedError("overloaded")
        loop = asyncio.get_running_loop()
        self._in_use += 1
        future = self._executor.submit(function)
        future.add_done_callback(lambda _: self._release(loop))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
        except TimeoutError as error:
            raise RequestRefusedError("deadline_exceeded") from error

    def close(self) -> None:
        """Drop the functions that wait, and let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        """Free a slot in the event loop's thread, which alone changes the count."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._decrement)

    def _decrement(self) -> None:
        self._in_use -= 1
