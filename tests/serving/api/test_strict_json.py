from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.strict_json import OUT_OF_RANGE, parse_json
from serving.scoring.refusals import RequestRefusedError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(values)
def test_json_that_is_well_formed_parses_as_usual(value: object) -> None:
    for is_ascii in (True, False):
        body = json.dumps(value, ensure_ascii=is_ascii).encode()
        assert parse_json(body) == value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b" ", "malformed_json"),
        (b"{", "malformed_json"),
        (b"{} {}", "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b'{"a": 1,}', "malformed_json"),
        (b'{"a": 01}', "malformed_json"),
        (b'{"a": "\xff"}', "malformed_json"),
        (b'\xef\xbb\xbf{"a": 1}', "malformed_json"),
        ('{"a": 1}'.encode("utf-16"), "malformed_json"),
        (b'{"a": "\x01"}', "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"a":' * 100_000, "malformed_json"),
        (b"[" * 100_000 + b"]" * 100_000, "malformed_json"),
        (b'{"a": NaN}', "not_finite"),
        (b'{"a": [Infinity]}', "not_finite"),
        (b'{"a": -Infinity}', "not_finite"),
        (b"1e999", "not_finite"),
        (b'{"a": -1e400}', "not_finite"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b'{"a": {"b": 1, "c": 2, "\\u0062": 3}}', "duplicate_key"),
    ],
)
def test_json_that_parsers_may_read_differently_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        parse_json(body)
    assert caught.value.code == code


@pytest.mark.parametrize("sign", [1, -1])
def test_json_with_a_huge_integer_parses_as_one_beyond_all_bounds(sign: int) -> None:
    body = ("-" if sign < 0 else "").encode() + b"9" * 5_000
    assert parse_json(body) * sign >= OUT_OF_RANGE
