from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.keys import RateLimit
from serving.access.token_bucket import SECOND, TokenBucket


@pytest.mark.parametrize(
    ("rate", "burst", "workers", "at_once", "wait"),
    [
        (1, 1, 1, 1, 1),
        (50, 100, 1, 100, 1),
        (0.1, 3, 1, 3, 10),
        (0.3, 1, 1, 1, 4),
        (50, 100, 4, 25, 1),
        (0.5, 2, 4, 1, 8),
        (100_000, 1, 1, 1, 1),
    ],
)
def test_bucket_allows_a_burst_and_then_says_how_long_to_wait(
    rate: float, burst: int, workers: int, at_once: int, wait: int
) -> None:
    bucket = TokenBucket(RateLimit(per_second=rate, burst=burst), workers)
    now = 7 * SECOND
    assert [bucket.take(now) for _ in range(at_once + 2)] == [0] * at_once + [wait, wait]
    assert bucket.take(now + wait * SECOND) == 0


LIMITS = st.builds(
    RateLimit,
    per_second=st.floats(0.001, 1_000, allow_nan=False),
    burst=st.integers(1, 20),
)


@given(LIMITS, st.lists(st.integers(0, 5 * SECOND), max_size=60))
def test_bucket_allows_what_tokens_would_and_its_wait_is_exact(
    limit: RateLimit, pauses: list[int]
) -> None:
    bucket, now = TokenBucket(limit, 1), 0
    interval = max(round(SECOND / limit.per_second), 1)
    level, most = limit.burst * interval, limit.burst * interval  # tokens, in nanoseconds
    for pause in pauses:
        now += pause
        level = min(level + pause, most)
        wait = bucket.take(now)
        assert (wait == 0) == (level >= interval)
        if wait:
            assert level + wait * SECOND >= interval > level + (wait - 1) * SECOND
        else:
            level -= interval
