"""Unseen candidates: which pairs are proposed, and at which price."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from experiments.http_demo import print_scores
from training.pipeline.propose_candidates import CANDIDATES, propose_candidates, write_candidates

SCHEMA = pa.schema(
    {
        **dict.fromkeys(("listing_id", "product_id", "category", "market"), pa.string()),
        "as_of_day": pa.int64(),
        **dict.fromkeys(("list_price_minor", "units_offered", "units_ordered_28d"), pa.float64()),
    }
)
NOW = 20_003
CURRENCIES = {"US": "USD", "DE": "EUR"}


def shelf(market: str, prices: list[int], *, product: str = "", units: float = 0.0) -> pa.Table:
    """Return live listings of one category, the first of `product` if it is named."""
    names = [product or f"{market}{i}" if i == 0 else f"{market}{i}" for i in range(len(prices))]
    rows = pa.table(
        {
            "listing_id": [f"{market}-{name}" for name in names],
            "product_id": names,
            "category": ["mugs"] * len(prices),
            "market": [market] * len(prices),
            "as_of_day": [20_000] * len(prices),
            "list_price_minor": [float(price) for price in prices],
            "units_offered": [40.0] * len(prices),
            "units_ordered_28d": [units, *[0.0] * len(prices)][: len(prices)],
        }
    )
    return rows.cast(SCHEMA)


def pairs_of(rows: pa.Table) -> set[tuple[str, str]]:
    return set(zip(rows["product_id"].to_pylist(), rows["market"].to_pylist(), strict=True))


def test_price_keeps_its_place_among_the_prices_of_the_category() -> None:
    rows = pa.concat_tables(
        [
            shelf("US", [3000, 1000, 2000, 2000, 2000], product="star", units=9.0),
            shelf("DE", [800, 800, 800, 800, 800]),
        ]
    )
    first = propose_candidates(rows, pairs_of(rows), CURRENCIES, as_of_day=NOW)[0]
    assert (first.product_id, first.market, first.currency) == ("star", "DE", "EUR")
    assert first.list_price_minor == 1200
    assert first.units_offered == 40
    assert first.candidate_id == "DE-star"


@pytest.mark.parametrize(
    ("german", "why"),
    [
        ([800] * 4, "too few prices to know where one stands"),
        ([], "the market doesn't sell the category"),
    ],
)
def test_market_without_a_shelf_for_the_category_gets_no_candidate(
    german: list[int], why: str
) -> None:
    rows = pa.concat_tables([shelf("US", [2000] * 5), shelf("DE", german)])
    assert not [
        c
        for c in propose_candidates(rows, pairs_of(rows), CURRENCIES, as_of_day=NOW)
        if c.market == "DE"
    ], why


def test_product_listed_once_is_not_unseen_even_if_it_is_off_sale_now() -> None:
    earlier = shelf("DE", [700], product="star").set_column(4, "as_of_day", pa.array([19_000]))
    rows = pa.concat_tables(
        [shelf("US", [2000] * 5, product="star"), shelf("DE", [800] * 5), earlier]
    )
    pairs = {
        (c.product_id, c.market)
        for c in propose_candidates(rows, pairs_of(rows), CURRENCIES, as_of_day=NOW)
    }
    assert ("star", "DE") not in pairs
    assert ("US1", "DE") in pairs


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (SCHEMA.empty_table(), "nothing was ever on sale"),
        (shelf("US", [2000]), "one listing"),
        (shelf("US", [2000] * 9), "one market"),
        (pa.concat_tables([shelf("US", [2000] * 4), shelf("DE", [800] * 4)]), "small shelves"),
        (
            pa.concat_tables([shelf("US", [2000] * 9), shelf("DE", [800] * 9)]).set_column(
                4, "as_of_day", pa.array([NOW - 7] * 18)
            ),
            "everything sold out a week ago",
        ),
    ],
)
def test_shop_without_a_candidate_leaves_an_empty_file_and_the_demo_goes_on(
    rows: pa.Table, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = propose_candidates(rows, pairs_of(rows), CURRENCIES, as_of_day=NOW)
    assert not found, why
    write_candidates(found, tmp_path / CANDIDATES)
    header, *lines = (tmp_path / CANDIDATES).read_text().splitlines()
    assert "product_id" in header
    assert not lines
    print_scores(tmp_path)
    assert "proposed no candidate" in capsys.readouterr().out
