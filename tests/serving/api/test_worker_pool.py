from __future__ import annotations

import asyncio
import threading

import pytest

from serving.api.worker_pool import BoundedWorkerPool
from serving.scoring.refusals import RequestRefusedError


def test_bounded_run_returns_the_result_or_raises_the_error() -> None:
    async def both() -> tuple[int, str]:
        threads = BoundedWorkerPool(threads=1, max_waiting=1)
        number = await threads.run(5, lambda: 7)
        with pytest.raises(ZeroDivisionError) as caught:
            await threads.run(5, lambda: 1 // 0)
        threads.close()
        return number, str(caught.type.__name__)

    assert asyncio.run(both()) == (7, "ZeroDivisionError")


def test_bounded_run_beyond_the_deadline_is_refused_and_the_queue_stays_short() -> None:
    async def outcomes() -> list[str]:
        threads = BoundedWorkerPool(threads=1, max_waiting=2)
        hold = threading.Event()

        async def outcome() -> str:
            try:
                return str(await threads.run(0.1, hold.wait))
            except RequestRefusedError as error:
                return error.code

        results = await asyncio.gather(*(outcome() for _ in range(50)))
        while_one_runs_on = await asyncio.gather(*(outcome() for _ in range(50)))
        names = [thread.name for thread in threading.enumerate()]
        assert len([name for name in names if name.startswith("scoring")]) <= 1
        hold.set()
        after = [await threads.run(5, lambda: "free")]
        threads.close()
        return [*results, *while_one_runs_on, *after]

    results = asyncio.run(outcomes())
    assert results[:50] == [*["deadline_exceeded"] * 3, *["overloaded"] * 47]
    assert results[50:] == [*["deadline_exceeded"] * 2, *["overloaded"] * 48, "free"]
