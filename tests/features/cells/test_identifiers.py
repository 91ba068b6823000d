"""Identifiers: kinds of spellings, the one form of each, and the reasons of refusals."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells.identifiers import (
    BLANKS,
    MAX_CHARACTERS,
    MISSING_WORDS,
    PLAIN,
    canonical_identifier,
    find_identifier_fault,
    is_missing,
    read_identifier,
)

MARKED = ("'NULL", "'nan", " ' N/A", "'")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(" '.0157Ee+-a\u0308\u00a0")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("P00001411 ", "P00001411"),
        ("\u00a0P1\u3000", "P1"),
        ("\ufeffP1\u200b", "P1"),
        ("Home\u00a0& Kitchen", "Home & Kitchen"),
        ("17850.0", "17850"),
        ("1001.00", "1001"),
        ("1001.000", "1001.000"),
        ("1.000", "1.000"),
        ("-7.0", "-7"),
        ("007", "007"),
        ("'007", "007"),
        ("'-A77", "-A77"),
        ("1.5", "1.5"),
        ("v1.0", "v1.0"),
        ("u\u0308ber", "\u00fcber"),
        ("ครีมกันแดด", "ครีมกันแดด"),
        ("नमस्ते", "नमस्ते"),
        ("ខ្មែរ", "ខ្មែរ"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # noqa: RUF001 - Persian
        ("क्\u200dष", "क्\u200dष"),
        ("手机壳\uff08新款\uff09", "手机壳\uff08新款\uff09"),
        ("Women's", "Women's"),
        ("Women\u2019s", "Women\u2019s"),
        ("#1001", "#1001"),
        ("bGlzdGluZw==", "bGlzdGluZw=="),
        ("Apparel > Dresses", "Apparel > Dresses"),
        ("Sports, Outdoors (new)", "Sports, Outdoors (new)"),
        ("12345e67", "12345e67"),
        ("x" * MAX_CHARACTERS, "x" * MAX_CHARACTERS),
    ],
)
def test_identifier_of_each_kind_has_one_form(text: str, canonical: str) -> None:
    assert canonical_identifier(text) == unicodedata.normalize("NFC", canonical)
    assert find_identifier_fault(canonical_identifier(text)) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (" ", "blank"),
        ("x" * (MAX_CHARACTERS + 1), "longer than 128 characters"),
        ("''x", "begins with the sign '"),
        ("5.76E+17", "a number that a spreadsheet rounded; export it again, as text"),
        ("5.76E17", "a number that a spreadsheet rounded; export it again, as text"),
        ("-5,76e17", "a number that a spreadsheet rounded; export it again, as text"),
        ("5,76e+017", "a number that a spreadsheet rounded; export it again, as text"),
        ("..", "has .. as a part, as in a path"),
        ("../etc/passwd", "has .. as a part, as in a path"),
        ("a@b.example", "has the sign @"),
        ('15" screen', 'has the sign "'),
        ("%2e%2e", "has the sign %"),
        ("a\n", "has a line break, a tab or a control character"),
        ("a\tb", "has a line break, a tab or a control character"),
        ("a\u2028b", "has a line break, a tab or a control character"),
        ("a\u202eb", "has an invisible sign"),
        ("\U0001f600", "has an emoji or a picture sign"),
        ("a\u20acb", "has a sign that isn't allowed"),
        ("\ud800", "isn't Unicode"),
    ],
)
def test_identifier_that_is_refused_has_a_reason(text: str, fault: str) -> None:
    assert find_identifier_fault(canonical_identifier(text)) == fault


@given(TEXTS)
def test_identifier_that_is_read_twice_is_read_as_once(text: str) -> None:
    identifier = read_identifier(text)
    if identifier is not None:
        assert read_identifier(identifier) == identifier
        assert canonical_identifier(identifier) == canonical_identifier(text)


@given(st.from_regex(PLAIN, fullmatch=True) | st.sampled_from(sorted(MISSING_WORDS)))
def test_plain_text_has_its_one_form(text: str) -> None:
    is_plain = re.fullmatch(PLAIN, text) is not None
    assert is_plain != is_missing(text)
    assert not is_plain or (canonical_identifier(text), find_identifier_fault(text)) == (text, None)


@given(TEXTS, st.text(BLANKS, max_size=3), st.text(BLANKS, max_size=3))
def test_blanks_at_the_ends_never_make_another_identifier(
    text: str, before: str, after: str
) -> None:
    assert canonical_identifier(before + text + after) == canonical_identifier(text)


@pytest.mark.parametrize(
    "text", ["NULL", "None", " nan ", "#N/A", "<NA>", "\\N", "", "\u3000", *MARKED]
)
def test_missing_words_are_those_that_programs_write(text: str) -> None:
    assert is_missing(text)
    assert read_identifier(text) is None


@pytest.mark.parametrize("text", ["NA", "Nan", "none", "0", "-"])
def test_words_that_a_seller_may_mean_are_kept(text: str) -> None:
    assert not is_missing(text)
