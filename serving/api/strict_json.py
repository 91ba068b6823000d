"""Parse JSON strictly: refuse everything that two parsers may read differently.

Python's parser accepts `NaN`, numbers that overflow to infinity, repeated keys and halves of
characters (RFC 8259, sections 4, 6 and 8.2).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, Final, NoReturn

from serving.scoring.refusals import Detail, Loc, RequestRefusedError, loc_of

MAX_DIGITS: Final = 19
"""Digits of an integer; converting a longer one takes quadratic time."""

OUT_OF_RANGE: Final = 10**MAX_DIGITS


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value in `body`.

    An integer of more than `MAX_DIGITS` digits becomes one outside every bound. Then the check of
    the request's form refuses it and names its place.

    Raises:
        RequestRefusedError: malformed_json with the place, not_finite or duplicate_key.
    """
    try:
        value = _DECODER.decode(body.decode("utf-8"))
        if b"\\u" in body:
            _refuse_half_characters(value)
    except json.JSONDecodeError as error:
        place = ("line", error.lineno, "column", error.colno)
        raise _malformed(place, "not_json") from error
    except UnicodeDecodeError as error:
        raise _malformed(("byte", error.start + 1), "not_utf8") from error
    except RecursionError as error:
        raise _malformed((), "too_deep") from error
    return value


def _malformed(place: Loc, code: str) -> RequestRefusedError:
    return RequestRefusedError("malformed_json", (Detail(place, code),))


def _refuse_half_characters(value: object) -> None:
    r"""Refuse an escape such as `\ud800`, which is one half of a character without the other."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _malformed((), "half_character") from error


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise RequestRefusedError("duplicate_key", (Detail(loc_of(repeated), "duplicate_key"),))
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
