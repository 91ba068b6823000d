from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.strict_json import OUT_OF_RANGE, parse_json
from serving.scoring.refusals import Detail, RequestRefusedError

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
        (b'{"a": NaN}', "not_finite"),
        (b'{"a": [Infinity]}', "not_finite"),
        (b'{"a": -Infinity}', "not_finite"),
        (b"1e999", "not_finite"),
        (b'{"a": -1e400}', "not_finite"),
    ],
)
def test_json_with_a_number_that_isnt_finite_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        parse_json(body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("body", "loc", "code"),
    [
        (b"", ("line", 1, "column", 1), "not_json"),
        (b" ", ("line", 1, "column", 2), "not_json"),
        (b"{", ("line", 1, "column", 2), "not_json"),
        (b"{} {}", ("line", 1, "column", 4), "not_json"),
        (b"{'a': 1}", ("line", 1, "column", 2), "not_json"),
        (b'{"a": 1,\n "b" 2}', ("line", 2, "column", 6), "not_json"),
        (b'{"a": 01}', ("line", 1, "column", 8), "not_json"),
        (b'{"a": "\x01"}', ("line", 1, "column", 8), "not_json"),
        (b'\xef\xbb\xbf{"a": 1}', ("line", 1, "column", 1), "not_json"),
        (b'{"a": "\xff"}', ("byte", 8), "not_utf8"),
        ('{"a": 1}'.encode("utf-16"), ("byte", 1), "not_utf8"),
        (b"[" * 100_000, (), "too_deep"),
        (b'{"a":' * 100_000, (), "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, (), "too_deep"),
        (b'{"\\ud800": 1}', (), "half_character"),
        (b'{"a": ["\\udfff"]}', (), "half_character"),
        (b'{"a": "\\ud83dx"}', (), "half_character"),
        (b'{"a": "\\ude00\\ud83d"}', (), "half_character"),
    ],
)
def test_json_that_is_malformed_is_refused_with_the_place(
    body: bytes, loc: tuple[str | int, ...], code: str
) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        parse_json(body)
    assert caught.value.code == "malformed_json"
    assert caught.value.details == (Detail(loc, code),)
    assert ("loc under details" in caught.value.hint) == bool(loc)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (b'{"a": 1, "a": 1}', ("a",)),
        (b'{"a": {"b": 1, "c": 2, "\\u0062": 3}}', ("b",)),
        (b'{"<b>": 1, "<b>": 1}', ()),
        (b'{"\\ud800": 1, "\\ud800": 1}', ()),
    ],
)
def test_json_with_a_key_twice_is_refused_with_its_name(body: bytes, loc: tuple[str, ...]) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        parse_json(body)
    assert caught.value.code == "duplicate_key"
    assert caught.value.details == (Detail(loc, "duplicate_key"),)


@pytest.mark.parametrize(
    ("body", "value"), [(b'"\\ud83d\\ude00"', "\U0001f600"), (b'"\\\\ud800"', "\\ud800")]
)
def test_json_with_whole_characters_in_escapes_is_read(body: bytes, value: str) -> None:
    assert parse_json(body) == value


@pytest.mark.parametrize("sign", [1, -1])
def test_json_with_a_huge_integer_parses_as_one_beyond_all_bounds(sign: int) -> None:
    body = ("-" if sign < 0 else "").encode() + b"9" * 5_000
    assert parse_json(body) * sign >= OUT_OF_RANGE
