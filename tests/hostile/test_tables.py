"""H35: tables that are empty, incomplete or of another type, as training would meet them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from experiments.simulator.configuration.configuration import Simulation
from features.runtime.errors import DataError
from features.validation.report import ValidationReport
from features.validation.validate import validate
from tests.worlds.simulated import make_market

MARKET = Simulation(products=30, chunk_products=30, markets=("US", "DE"), days=60)

Change = Callable[[pd.DataFrame], pd.DataFrame]


def checked(directory: Path, **changes: Change) -> ValidationReport:
    """Write a market with some tables changed, and check it."""
    source = directory / "source"
    source.mkdir()
    for name, frame in make_market(MARKET)[0].items():
        changed = changes[name](frame.copy()) if name in changes else frame
        changed.to_parquet(source / f"{name}.parquet")
    return validate(source, directory / "out")


def header_only(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.head(0)


def without(column: str) -> Change:
    return lambda frame: frame.drop(columns=column)


def all_null(column: str) -> Change:
    return lambda frame: frame.assign(**{column: None})


def as_text(column: str) -> Change:
    return lambda frame: frame.assign(**{column: "n/a"})


REFUSED: dict[str, tuple[str, Change, str]] = {
    "header only": ("orders", header_only, "orders"),
    "header only of an optional table": ("returns", header_only, "Remove it; the table is opt"),
    "no products": ("products", header_only, "products"),
    "a required column missing": ("orders", without("units"), "units"),
    "a required column all null": ("orders", all_null("units"), "orders"),
    "a required column of text": ("listings", as_text("list_price_minor"), "listings"),
    "no column at all": ("orders", lambda _: pd.DataFrame(), "orders"),
}


@pytest.mark.parametrize(("table", "change", "says"), REFUSED.values(), ids=REFUSED)
def test_table_that_cant_be_used_is_refused_by_name(
    table: str, change: Change, says: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=says) as caught:
        checked(tmp_path, **{table: change})
    assert str(caught.value).startswith("The ")
    assert caught.value.exit_code == 3
    assert not (tmp_path / "out").exists()


def test_order_of_columns_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "as is").mkdir()
    (tmp_path / "reversed").mkdir()
    checked(tmp_path / "as is")
    checked(tmp_path / "reversed", orders=lambda frame: frame[frame.columns[::-1]])
    first, second = (tmp_path / name / "out" / "orders.parquet" for name in ("as is", "reversed"))
    assert first.read_bytes() == second.read_bytes()
