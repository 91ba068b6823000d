"""Parse JSON strictly: refuse everything that two parsers may read differently.

Python's parser accepts `NaN`, numbers that overflow to infinity, and repeated keys (RFC 8259,
sections 4 and 6).
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from serving.scoring.refusals import RequestRefusedError

MAX_DIGITS: Final = 19
"""Digits of an integer; converting a longer one takes quadratic time."""

OUT_OF_RANGE: Final = 10**MAX_DIGITS


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value in `body`.

    An integer of more than `MAX_DIGITS` digits becomes one outside every bound. Then the check of
    the request's form refuses it and names its place.

    Raises:
        RequestRefusedError: malformed_json, not_finite or duplicate_key.
    """
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RequestRefusedError("malformed_json") from error


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RequestRefusedError("duplicate_key")
    return members


def _parse_integer(digits: str) -> int:
    if len(digits.removeprefix("-")) <= MAX_DIGITS:
        return int(digits)
    return -OUT_OF_RANGE if digits.startswith("-") else OUT_OF_RANGE


def _parse_number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise RequestRefusedError("not_finite")
    return number


def _refuse_constant(_: str) -> NoReturn:
    raise RequestRefusedError("not_finite")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_parse_object,
    parse_int=_parse_integer,
    parse_float=_parse_number,
    parse_constant=_refuse_constant,
)
