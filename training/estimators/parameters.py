"""Check the parameters of the estimators: their types first, then their ranges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final, TypeGuard

import numpy as np
from sklearn.utils import check_random_state

from features.runtime.text import escape
from training.estimator_errors import ParameterError, UnknownColumnsError

RandomState = int | np.random.RandomState | np.random.Generator | None

SEED_LIMIT: Final = 2**31 - 1001
"""Drawn seeds are below this: a booster's seed is a small number above, still of 32 bits."""


def resolve_seed(random_state: object) -> int:
    """Return a number itself; else draw one, by None a fresh one each time.

    Raises:
        ParameterError: neither a number from 0 on nor anything that numbers are drawn from.
    """
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(SEED_LIMIT))
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(SEED_LIMIT))
    if _is_integer(random_state) and random_state >= 0:
        return int(random_state)
    raise ParameterError(
        "random_state",
        expected="a whole number from 0 on, None, a numpy RandomState or Generator",
        found=escape(repr(random_state)),
    )


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


@dataclass(frozen=True)
class NumberRange:
    """The numbers that a parameter may be, in words and as a test that they pass."""

    expected: str
    accepts: Callable[[float], bool]

    def refuse_invalid(self, parameter: str, value: object) -> None:
        """Refuse a value that is no number (a boolean is none) or out of range.

        Raises:
            ParameterError: it is either.
        """
        if not _is_number(value) or not self.accepts(float(value)):
            found = repr(value) if isinstance(value, str) else str(value)
            raise ParameterError(parameter, expected=self.expected, found=escape(found))


COVERAGE: Final = NumberRange("a coverage between 0 and 1", lambda value: 0 < value < 1)
HOLDOUT_SHARE: Final = NumberRange(
    "a share of the rows between 0 and 1", lambda value: 0 < value < 1
)
KNOWN_SHARE: Final = NumberRange(
    "a share of the rows above 0, at most 1", lambda value: 0 < value <= 1
)
NON_NEGATIVE: Final = NumberRange("a number from 0 on", lambda value: value >= 0)
ANY_NUMBER: Final = NumberRange("a number", lambda _: True)
"""For a setting of the boosters, whose range is declared in training/settings.py."""


MAX_NUMBER: Final = 1e300
"""Infinity is no setting, and whole numbers far beyond this one have no float."""
UNORDERED_OR_TEXT: Final = (str, bytes, AbstractSet, Mapping)


def parse_names(parameter: str, names: object) -> tuple[str, ...]:
    """Return the names of columns that a parameter lists; None is none.

    Raises:
        ParameterError: no list, one without an order, a bare text, or a name that is no text.
    """
    if names is None:
        return ()
    if _is_list(names) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise ParameterError(
        parameter,
        expected=f"{parameter} to be a list of columns' names, each a text ('1' for a column 1)",
        found=escape(repr(names)),
    )


def parse_name(parameter: str, name: object) -> tuple[str, ...]:
    """Return the name of the column that a parameter gives; None is none.

    Raises:
        ParameterError: it is no text.
    """
    if name is None:
        return ()
    if isinstance(name, str):
        return (name,)
    raise ParameterError(
        parameter,
        expected=f"{parameter} to be a column's name as a text ('1' for a column 1), or None",
        found=escape(repr(name)),
    )


def parse_signs(monotone: object) -> dict[str, int]:
    """Return the direction of each column that `monotone` names; None is none.

    Raises:
        ParameterError: no mapping of names to -1, 0 or 1.
    """
    if monotone is None:
        return {}
    if not isinstance(monotone, Mapping):
        raise ParameterError(
            "monotone",
            expected="monotone to be a mapping of columns' names to -1, 0 or 1",
            found=escape(repr(monotone)),
        )
    parse_names("monotone", list(monotone))
    wrong = {name: sign for name, sign in monotone.items() if not _is_sign(sign)}
    if wrong:
        raise ParameterError(
            "monotone", expected="-1, 0 or 1 for a column", found=escape(str(wrong))
        )
    return {name: int(sign) for name, sign in monotone.items()}


def refuse_unknown_choice(parameter: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a value that isn't one of a few texts.

    Raises:
        ParameterError: it isn't.
    """
    if not isinstance(value, str) or value not in choices:
        expected = f"{parameter} to be {' or '.join(choices)}"
        raise ParameterError(parameter, expected=expected, found=escape(repr(value)))


def refuse_unknown_columns(parameter: str, names: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse names of no column, and one that comes twice.

    Raises:
        UnknownColumnsError: a name isn't among `columns`.
        ParameterError: a name comes twice.
    """
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise UnknownColumnsError(parameter, unknown, columns)
    if len(set(names)) < len(names):
        raise ParameterError(parameter, expected="each column once", found=escape(str(list(names))))


def refuse_learning_from_order(
    order: Sequence[str], parameter: str, learned: Sequence[str]
) -> None:
    """Refuse a column of `calibration_order` that models shall learn from: they leave it out.

    Raises:
        ParameterError: the column is among those that `parameter` names.
    """
    if set(order) & set(learned):
        raise ParameterError(
            "calibration_order",
            expected=f"a column that isn't in {parameter}: moments to order by aren't learned from",
            found=escape(order[0]),
        )


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
