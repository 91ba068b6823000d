from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from serving.scoring.candidates import (
    MAX_CANDIDATES,
    Candidate,
    ScoreRequest,
    parse_candidate,
    parse_detail,
    parse_request,
)
from serving.scoring.refusals import MAX_DETAILS, REFUSALS, Detail, RequestRefusedError

GOOD: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
}


def test_request_parses_into_candidates() -> None:
    request = parse_request(
        {"candidates": [GOOD, {**GOOD, "listing_id": "mug-1|GB"}]}, ScoreRequest
    )
    assert request.coverage == 0.8
    assert request.candidates[0] == Candidate(**GOOD)
    assert request.candidates[1].listing_id == "mug-1|GB"


@pytest.mark.parametrize(
    ("change", "loc", "code"),
    [
        ({"list_price_minor": "499"}, "list_price_minor", "wrong_type"),
        ({"list_price_minor": True}, "list_price_minor", "wrong_type"),
        ({"list_price_minor": 499.0}, "list_price_minor", "wrong_type"),
        ({"list_price_minor": None}, "list_price_minor", "wrong_type"),
        ({"list_price_minor": [499]}, "list_price_minor", "wrong_type"),
        ({"list_price_minor": 0}, "list_price_minor", "out_of_range"),
        ({"list_price_minor": -1}, "list_price_minor", "out_of_range"),
        ({"list_price_minor": 10**10 + 1}, "list_price_minor", "out_of_range"),
        ({"list_price_minor": 10**40}, "list_price_minor", "out_of_range"),
        ({"units_offered": 0}, "units_offered", "out_of_range"),
        ({"units_offered": 10**9 + 1}, "units_offered", "out_of_range"),
        ({"product_id": 7}, "product_id", "wrong_type"),
        ({"product_id": ""}, "product_id", "wrong_form"),
        ({"product_id": "../../etc/passwd"}, "product_id", "wrong_form"),
        ({"product_id": "a/.."}, "product_id", "wrong_form"),
        ({"product_id": ".."}, "product_id", "wrong_form"),
        ({"product_id": "a%2e%2e"}, "product_id", "wrong_form"),
        ({"product_id": "a\0"}, "product_id", "wrong_form"),
        ({"product_id": "a\n"}, "product_id", "wrong_form"),
        ({"product_id": "a\r\nb"}, "product_id", "wrong_form"),
        ({"product_id": "a\u202eb"}, "product_id", "wrong_form"),
        ({"product_id": "\ud800"}, "product_id", "wrong_form"),
        ({"product_id": "a" * 129}, "product_id", "wrong_form"),
        ({"product_id": "a" * 10_000}, "product_id", "wrong_form"),
        ({"product_id": " "}, "product_id", "wrong_form"),
        ({"product_id": "NULL"}, "product_id", "wrong_form"),
        ({"product_id": "'NULL"}, "product_id", "wrong_form"),
        ({"product_id": "5.76E+17"}, "product_id", "wrong_form"),
        ({"listing_id": "<script>"}, "listing_id", "wrong_form"),
        ({"category": 'a"b'}, "category", "wrong_form"),
        ({"candidate_id": "a@b"}, "candidate_id", "wrong_form"),
        ({"candidate_id": " "}, "candidate_id", "wrong_form"),
        ({"market": "gb"}, "market", "wrong_form"),
        ({"market": "GBR"}, "market", "wrong_form"),
        ({"market": "ＧＢ"}, "market", "wrong_form"),  # noqa: RUF001 - full width
        ({"currency": "£"}, "currency", "wrong_form"),
        ({"currency": "GBP\n"}, "currency", "wrong_form"),
    ],
)
def test_candidate_with_a_fault_is_refused_with_its_place(
    change: dict[str, Any], loc: str, code: str
) -> None:
    assert parse_candidate({**GOOD, **change}) == Detail((loc,), code)


@pytest.mark.parametrize("field", sorted(GOOD))
def test_candidate_without_a_field_is_refused_with_its_name(field: str) -> None:
    without = {name: value for name, value in GOOD.items() if name != field}
    assert parse_candidate(without) == Detail((field,), "missing_field")


@pytest.mark.parametrize(
    ("name", "loc"),
    [
        ("as_of", ("as_of",)),
        ("list_price", ("list_price",)),
        ("x" * 60, ("x" * 60,)),
        ("x" * 61, ()),
        ("", ()),
        ("1", ()),
        ("a b", ()),
        ("<script>", ()),
        ("\x1b[2J", ()),
        ("preis_\u20ac", ()),
        ("größe", ()),
        ("a\n", ()),
        ("wrong form of `market`", ()),
        ("missing required field `market`", ()),
        ("x` - at `$.market", ()),
    ],
)
def test_candidate_with_an_unknown_field_is_refused_with_its_name_if_that_is_plain(
    name: str, loc: tuple[str, ...]
) -> None:
    assert parse_candidate({**GOOD, name: 1}) == Detail(loc, "unknown_field")
    with pytest.raises(RequestRefusedError) as caught:
        parse_request({"candidates": [GOOD], name: 1}, ScoreRequest)
    assert caught.value.details == (Detail(loc, "unknown_field"),)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a", "a"),
        ("选品 1", "选品 1"),
        ("a..b", "a..b"),
        ("a/b", "a/b"),
        ("x" * 128, "x" * 128),
        ("certificate:FDA", "certificate:FDA"),
        ("P00001411 ", "P00001411"),
        ("\u00a0P1\ufeff", "P1"),
        ("17850.0", "17850"),
        ("ครีมกันแดด", "ครีมกันแดด"),
        ("नमस्ते", "नमस्ते"),
        ("Ko\u0308ln", "K\u00f6ln"),
        ("Women's", "Women's"),
        ("#1001", "#1001"),
    ],
)
@pytest.mark.parametrize(
    "field", ["product_id", "listing_id", "category", "supplier_id", "creator_id"]
)
def test_candidate_has_each_identifier_in_its_one_form(
    field: str, text: str, canonical: str
) -> None:
    assert parse_candidate({**GOOD, field: text}) == Candidate(**{**GOOD, field: canonical})


def test_candidate_keeps_its_own_id_as_it_was_sent() -> None:
    candidate = parse_candidate({**GOOD, "candidate_id": "Ko\u0308ln 1.0 "})
    assert isinstance(candidate, Candidate)
    assert candidate.candidate_id == "Ko\u0308ln 1.0 "


@pytest.mark.parametrize("field", ["market", "currency"])
def test_candidate_has_codes_without_blanks_at_the_ends(field: str) -> None:
    assert parse_candidate({**GOOD, field: f"\u00a0{GOOD[field]} "}) == Candidate(**GOOD)


@pytest.mark.parametrize(
    ("request_value", "code", "details"),
    [
        ([], "invalid_request", (Detail((), "wrong_type"),)),
        ({}, "invalid_request", (Detail(("candidates",), "missing_field"),)),
        ({"candidates": []}, "invalid_request", (Detail(("candidates",), "too_few"),)),
        ({"candidates": {}}, "invalid_request", (Detail(("candidates",), "wrong_type"),)),
        ({"candidates": [GOOD] * (MAX_CANDIDATES + 1)}, "too_many_candidates", ()),
        (
            {"candidates": [GOOD], "coverage": 0.99},
            "invalid_request",
            (Detail(("coverage",), "out_of_range"),),
        ),
        (
            {"candidates": [GOOD], "coverage": True},
            "invalid_request",
            (Detail(("coverage",), "wrong_type"),),
        ),
        (
            {"candidates": [GOOD], "level": 0.9},
            "invalid_request",
            (Detail(("level",), "unknown_field"),),
        ),
        (
            {"candidates": [GOOD, {**GOOD, "price": 4.99}]},
            "invalid_request",
            (Detail(("candidates", 1, "price"), "unknown_field"),),
        ),
        (
            {"candidates": [GOOD, 3, GOOD, {**GOOD, "market": "x"}]},
            "invalid_request",
            (
                Detail(("candidates", 1), "wrong_type"),
                Detail(("candidates", 3, "market"), "wrong_form"),
            ),
        ),
    ],
)
def test_request_with_faults_is_refused_with_all_places(
    request_value: object, code: str, details: tuple[Detail, ...]
) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        parse_request(request_value, ScoreRequest)
    assert caught.value.code == code
    assert caught.value.details == details


def test_request_with_many_faults_names_a_bounded_number() -> None:
    with pytest.raises(RequestRefusedError) as caught:
        parse_request({"candidates": [0] * MAX_CANDIDATES}, ScoreRequest)
    assert len(caught.value.details) == MAX_DETAILS
    assert caught.value.details[-1] == Detail(("candidates", MAX_DETAILS - 1), "wrong_type")


MESSAGES = [
    ({"as_of": 1}, "Object contains unknown field `as_of`", "unknown_field"),
    ({"market": ...}, "Object missing required field `market`", "missing_field"),
    ({"market": 7}, "Expected `str`, got `int` - at `$.market`", "wrong_type"),
    ({"market": "gb"}, "wrong form of `market`", "wrong_form"),
    ({"units_offered": 0}, "Expected `int` >= 1 - at `$.units_offered`", "out_of_range"),
    (
        {"units_offered": 10**9 + 1},
        "Expected `int` <= 1000000000 - at `$.units_offered`",
        "out_of_range",
    ),
]
"""A change of the good candidate, msgspec's message about it, and our code."""


@pytest.mark.parametrize(("change", "message", "code"), MESSAGES)
def test_messages_of_msgspec_are_worded_as_the_codes_need(
    change: dict[str, Any], message: str, code: str
) -> None:
    """An upgrade of msgspec that words its messages differently fails here."""
    candidate = {name: v for name, v in {**GOOD, **change}.items() if v is not ...}
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(candidate, Candidate)
    assert str(caught.value) == message
    assert parse_detail(caught.value).code == code


@pytest.mark.parametrize(
    ("candidates", "message", "code"),
    [
        ([], "Expected `array` of length >= 1 - at `$.candidates`", "too_few"),
        ([GOOD] * 1_001, "Expected `array` of length <= 1000 - at `$.candidates`", "too_many"),
        ([GOOD, 3], "Expected `object`, got `int` - at `$.candidates[1]`", "wrong_type"),
    ],
)
def test_messages_of_msgspec_about_lists_are_worded_as_the_codes_need(
    candidates: list[object], message: str, code: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"candidates": candidates}, ScoreRequest)
    assert str(caught.value) == message
    assert parse_detail(caught.value).code == code


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_refusal_has_a_problem_and_a_hint_in_plain_sentences(code: str) -> None:
    error = RequestRefusedError(code)
    for part in (error.problem, error.hint):
        assert re.fullmatch(r"[A-Z][^<>]+\.", part), part
