"""Matching cancellations to purchases, checked against a slow search."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.importers.online_retail.cancellations import (
    NO_PURCHASE,
    TOO_MANY,
    Return,
    match_cancellations,
)

START = pd.Timestamp("2011-01-01")
Moves = list[tuple[str, str, int, int]]


def moves(lines: Moves) -> pd.DataFrame:
    """Lay out (customer, product, minute, units) as lines; negative units cancel."""
    return pd.DataFrame(
        {
            "row_number": range(1, len(lines) + 1),
            "customer": [customer for customer, *_ in lines],
            "product_id": [product for _, product, *_ in lines],
            "event_time": [START + pd.Timedelta(minutes=minute) for *_, minute, _ in lines],
            "units": [units for *_, units in lines],
            "is_cancellation": [units < 0 for *_, units in lines],
        }
    )


@pytest.mark.parametrize(
    ("lines", "returns", "refused"),
    [
        ([("a", "x", 1, 5), ("a", "x", 2, -3)], [(1, 2, 3)], {}),
        ([("a", "x", 1, 5), ("a", "x", 2, 4), ("a", "x", 3, -4)], [(2, 3, 4)], {}),
        ([("a", "x", 1, 5), ("a", "x", 2, 4), ("a", "x", 3, -6)], [(2, 3, 4), (1, 3, 2)], {}),
        ([("a", "x", 1, 5), ("a", "x", 1, 4), ("a", "x", 3, -5)], [(2, 3, 4), (1, 3, 1)], {}),
        ([("a", "x", 1, 5), ("a", "x", 2, -3), ("a", "x", 3, -2)], [(1, 2, 3), (1, 3, 2)], {}),
        ([("a", "x", 1, 5), ("a", "x", 2, -3), ("a", "x", 3, -3)], [(1, 2, 3)], {3: TOO_MANY}),
        ([("a", "x", 1, 5), ("a", "x", 2, -6), ("a", "x", 3, -5)], [(1, 3, 5)], {2: TOO_MANY}),
        ([("a", "x", 1, 5), ("a", "x", 1, -5)], [], {2: NO_PURCHASE}),
        ([("a", "x", 2, 5), ("a", "x", 1, -5)], [], {2: NO_PURCHASE}),
        ([("b", "x", 1, 5), ("a", "y", 1, 5), ("a", "x", 2, -5)], [], {3: NO_PURCHASE}),
        ([("a", "x", 1, 5), ("a", "x", 2, -5), ("a", "x", 3, -1)], [(1, 2, 5)], {3: TOO_MANY}),
        ([("a", "x", 3, -2), ("a", "x", 1, 5)], [(2, 1, 2)], {}),
        ([("a", "x", 1, 5)], [], {}),
    ],
    ids=[
        "a part",
        "the latest purchase first",
        "split over two purchases",
        "at one time the later line first",
        "twice from one purchase",
        "more than was left",
        "more than was bought, whole",
        "at the same time isn't earlier",
        "before the purchase",
        "another customer's or product's",
        "nothing left of a purchase",
        "times decide, not the order of lines",
        "no cancellation",
    ],
)
def test_matching_of_few_lines_takes_back_as_expected(
    lines: Moves, returns: list[tuple[int, int, int]], refused: dict[int, object]
) -> None:
    matches = match_cancellations(moves(lines))
    assert matches.returns == [Return(*expected) for expected in returns]
    assert matches.refused == refused


def search(lines: Moves) -> tuple[Counter[tuple[int, int]], set[int]]:
    """Match unit by unit: look for the latest earlier purchase with a unit left, each time."""
    left = {row: units for row, (*_, units) in enumerate(lines, 1) if units > 0}
    taken: Counter[tuple[int, int]] = Counter()
    refused = set()
    cancelled = [row for row, (*_, units) in enumerate(lines, 1) if units < 0]
    for row in sorted(cancelled, key=lambda row: (lines[row - 1][2], row)):
        *key, minute, units = lines[row - 1]
        trial = dict(left)
        found = []
        for _ in range(-units):
            earlier = [
                (lines[other - 1][2], other)
                for other in trial
                if [*lines[other - 1][:2]] == key
                and lines[other - 1][2] < minute
                and trial[other] > 0
            ]
            if earlier:
                purchase = max(earlier)[1]
                trial[purchase] -= 1
                found.append((purchase, row))
        if len(found) == -units:
            left = trial
            taken.update(found)
        else:
            refused.add(row)
    return taken, refused


# Few buyers and moments, and more bought than cancelled: so that most searches find something.
random_moves = st.lists(
    st.tuples(
        st.sampled_from("aab"),
        st.sampled_from("xxy"),
        st.sampled_from([3, 1, 2, 4, 5, 6]),
        st.sampled_from([3, -2, 5, -4, 2, -1]),
    ),
    max_size=16,
)


@settings(deadline=None)
@given(random_moves)
def test_matching_agrees_with_a_search_unit_by_unit(lines: Moves) -> None:
    matches = match_cancellations(moves(lines))
    taken: Counter[tuple[int, int]] = Counter()
    for purchase, cancellation, units in matches.returns:
        taken[purchase, cancellation] += units
    assert (taken, set(matches.refused)) == search(lines)


@settings(deadline=None)
@given(random_moves)
def test_matching_never_takes_back_more_than_was_bought(lines: Moves) -> None:
    taken: Counter[int] = Counter()
    for purchase, cancellation, units in match_cancellations(moves(lines)).returns:
        assert units > 0
        assert lines[purchase - 1][2] < lines[cancellation - 1][2]
        taken[purchase] += units
    assert all(units <= lines[purchase - 1][3] for purchase, units in taken.items())
