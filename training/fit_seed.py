"""Tell with which number a fit draws at random."""

from __future__ import annotations

from typing import Final, TypeGuard

import numpy as np
from sklearn.utils import check_random_state

from features.runtime.text import shown
from training.estimator_errors import ParameterError

RandomState = int | np.random.RandomState | np.random.Generator | None

SEEDS: Final = 2**31 - 1001
"""Drawn seeds are below this: a booster's seed is a small number above, still of 32 bits."""


def seed_of(random_state: object) -> int:
    """Return a number itself; else draw one, by None a fresh one each time.

    Raises:
        ParameterError: neither a number from 0 on nor anything that numbers are drawn from.
    """
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(SEEDS))
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(SEEDS))
    if _is_whole(random_state) and random_state >= 0:
        return int(random_state)
    raise ParameterError(
        "random_state",
        expected="a whole number from 0 on, None, a numpy RandomState or Generator",
        found=shown(repr(random_state)),
    )


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
