"""Validate the parameters of the estimators: their types first, then their ranges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final, TypeGuard

import numpy as np
from sklearn.utils import check_random_state

from features.runtime.text import escape
from training.estimator_errors import (
    InvalidParameterError,
    OrderColumnLearnedError,
    UnknownColumnsError,
)

RandomState = int | np.random.RandomState | np.random.Generator | None

SEED_LIMIT: Final = 2**31 - 1001
"""Drawn seeds are below this limit: the seeds of boosters are a little higher and need 32 bits."""
TEXT_NAME: Final = "a text ('1' for a column 1)"


def resolve_seed(random_state: object) -> int:
    """Resolve `random_state` to an integer seed; None draws a new one each time.

    Raises:
        InvalidParameterError: it is neither a number from 0 up nor a source of random numbers.
    """
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(SEED_LIMIT))
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(SEED_LIMIT))
    if _is_integer(random_state) and random_state >= 0:
        return int(random_state)
    raise InvalidParameterError(
        "random_state",
        escape(repr(random_state)),
        requirement="a whole number from 0 up, None, or a numpy RandomState or Generator",
    )


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


@dataclass(frozen=True)
class NumberRange:
    """The numbers that a parameter may be, in words and as a predicate."""

    requirement: str
    accepts: Callable[[float], bool]

    def refuse_invalid(self, parameter: str, value: object) -> None:
        """Refuse a value that is out of range or no number (a boolean is none).

        Raises:
            InvalidParameterError: it is either.
        """
        if not _is_number(value) or not self.accepts(float(value)):
            shown = repr(value) if isinstance(value, str) else str(value)
            raise InvalidParameterError(parameter, escape(shown), requirement=self.requirement)


COVERAGE: Final = NumberRange("a number between 0 and 1", lambda value: 0 < value < 1)
HOLDOUT_SHARE: Final = NumberRange(
    "a share of the rows between 0 and 1", lambda value: 0 < value < 1
)
KNOWN_SHARE: Final = NumberRange(
    "a share of the rows above 0, at most 1", lambda value: 0 < value <= 1
)
NON_NEGATIVE: Final = NumberRange("a number from 0 up", lambda value: value >= 0)
ANY_NUMBER: Final = NumberRange("a number", lambda _: True)
"""For settings of the boosters, whose ranges are declared in training/settings.py."""


MAX_NUMBER: Final = 1e300
"""Rules out infinity, and whole numbers too large for a float."""
UNORDERED_OR_TEXT: Final = (str, bytes, AbstractSet, Mapping)


def parse_names(parameter: str, names: object) -> tuple[str, ...]:
    """Return the column names that a parameter lists; None lists none.

    Raises:
        InvalidParameterError: it is no ordered list, or a name in it is no text.
    """
    if names is None:
        return ()
    if _is_list(names) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise InvalidParameterError(
        parameter,
        escape(repr(names)),
        requirement=f"a list of column names, each {TEXT_NAME}",
    )


def parse_name(parameter: str, name: object) -> tuple[str, ...]:
    """Return the column name that a parameter gives; None gives none.

    Raises:
        InvalidParameterError: it is no text.
    """
    if name is None:
        return ()
    if isinstance(name, str):
        return (name,)
    raise InvalidParameterError(
        parameter, escape(repr(name)), requirement=f"a column name, {TEXT_NAME}, or None"
    )


def parse_signs(monotone: object) -> dict[str, int]:
    """Return the sign of each column that `monotone` names; None names none.

    Raises:
        InvalidParameterError: it is no mapping of names to -1, 0 or 1.
    """
    if monotone is None:
        return {}
    if not isinstance(monotone, Mapping) or not all(isinstance(name, str) for name in monotone):
        raise InvalidParameterError(
            "monotone",
            escape(repr(monotone)),
            requirement=f"a mapping of column names, each {TEXT_NAME}, to -1, 0 or 1",
        )
    invalid = {name: sign for name, sign in monotone.items() if not _is_sign(sign)}
    if invalid:
        raise InvalidParameterError(
            "monotone", escape(str(invalid)), requirement="-1, 0 or 1 for a column"
        )
    return {name: int(sign) for name, sign in monotone.items()}


def refuse_unknown_choice(parameter: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a value that isn't among `choices`.

    Raises:
        InvalidParameterError: it isn't.
    """
    if not isinstance(value, str) or value not in choices:
        raise InvalidParameterError(
            parameter, escape(repr(value)), requirement=" or ".join(choices)
        )


def refuse_no_flag(parameter: str, value: object) -> None:
    """Refuse a value that is neither True nor False.

    Raises:
        InvalidParameterError: it isn't.
    """
    if not isinstance(value, bool | np.bool_):
        raise InvalidParameterError(parameter, escape(repr(value)), requirement="True or False")


def refuse_unknown_columns(parameter: str, names: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse names of unknown columns, and a name that comes twice.

    Raises:
        UnknownColumnsError: a name isn't among `columns`.
        InvalidParameterError: a name comes twice.
    """
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise UnknownColumnsError(parameter, unknown, columns)
    if len(set(names)) < len(names):
        raise InvalidParameterError(
            parameter, escape(str(list(names))), requirement="a list that names each column once"
        )


def refuse_learning_from_order(
    order: Sequence[str], parameter: str, learned: Sequence[str]
) -> None:
    """Refuse a column of `calibration_order` that `parameter` wants models to learn from.

    Raises:
        OrderColumnLearnedError: the column is among `learned`.
    """
    if set(order) & set(learned):
        raise OrderColumnLearnedError(order[0], parameter)


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return abs(float(value)) <= MAX_NUMBER
    except OverflowError:
        return False


def _is_sign(value: object) -> bool:
    return _is_number(value) and value in {-1, 0, 1}


def _is_list(value: object) -> TypeGuard[Collection[Any]]:
    is_column = not isinstance(value, np.ndarray) or value.ndim == 1
    return is_column and isinstance(value, Collection) and not isinstance(value, UNORDERED_OR_TEXT)
