from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.batch.formulas import (
    add_guards,
    add_name_guards,
    remove_guards,
    remove_name_guards,
)

STARTS = "=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20"
"""The last four are full-width."""
TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8")) | st.text(STARTS + "'7a"))


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("rest", ["", "1+1", "A77", 'HYPERLINK("http://x")'])
def test_text_that_begins_like_a_formula_is_guarded(start: str, rest: str) -> None:
    assert add_name_guards([start + rest]) == [f"'{start}{rest}"]


@pytest.mark.parametrize(
    "text", ["", "-5", "+7", "-5.25", "blue - red", "a=b", "'", "'tis", "手机"]
)
def test_any_other_text_is_unchanged(text: str) -> None:
    assert add_name_guards([text]) == remove_name_guards([text]) == [text]


@given(TEXTS)
def test_guards_are_undone_exactly(texts: list[str | None]) -> None:
    column = pa.chunked_array([texts], pa.string())
    assert remove_guards(add_guards(column)).to_pylist() == texts


@given(TEXTS)
def test_guarded_text_stays_harmless_however_often_it_is_read_and_written(
    texts: list[str | None],
) -> None:
    guarded = add_guards(pa.chunked_array([texts], pa.string()))
    assert add_guards(remove_guards(guarded)).equals(guarded)
    for text in guarded.to_pylist():
        is_number = text is not None and text.strip("0123456789.+-") == ""
        assert not text or is_number or text[0] not in STARTS
