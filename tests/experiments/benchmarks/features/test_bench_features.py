"""What features cost: the benchmark on a tiny market, and its SQL as an oracle of features."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from experiments.benchmarks.features.benchmark import FeatureBenchmarkConfig
from experiments.benchmarks.features.by_hand import compute_windows_by_sql
from experiments.benchmarks.features.cli import bench_features
from experiments.benchmarks.features.figures import (
    CatalogueCost,
    FeatureBenchmarkResult,
    WindowCost,
)
from experiments.benchmarks.features.listing_windows import (
    KEYS,
    UnequalError,
    compare_windows,
    connect_dataset,
    listing_window_features,
    refuse_unequal,
)
from experiments.benchmarks.features.page import page
from experiments.benchmarks.features.sampled_spine import sample_spine
from experiments.benchmarks.features.verdicts import growth_exponent, judge_costs
from experiments.benchmarks.markets import configure_market, ensure_market
from experiments.benchmarks.results.figures import ElapsedTime
from features.dataset.horizons import Horizons
from features.point_in_time.signal_rows import build_lazy_rows
from features.point_in_time.spine import build_spine

LINES = 3_000
EVERY_ROW = 1_000_000
LEAST_COMPARED = {
    "units_ordered_28d",
    "units_sold_180d",
    "units_returned_180d",
    "buyers_repeated_180d",
    "views_28d",
    "sentiment_thousandths_84d",
    "late_parcels_84d",
    "sold_outs_84d",
}

app = typer.Typer()
app.command()(bench_features)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def market(work: Path) -> Path:
    return ensure_market(LINES, work)


def test_sql_by_hand_equals_the_interpreter_on_every_moment(market: Path) -> None:
    compared = compare_windows(market, EVERY_ROW, 2)
    assert set(compared.features) >= LEAST_COMPARED
    known = {feature.name for feature in listing_window_features()}
    assert {*compared.features, *compared.left_out} == known
    assert len(compared.costs) == 2


def test_sql_by_hand_writes_features_of_the_catalogue_none_zero_everywhere(market: Path) -> None:
    with connect_dataset(market) as dataset:
        spine = build_spine(build_lazy_rows(dataset, Horizons())).select(*KEYS)
        dataset.connection.create_table("spine", spine, temp=True)
        table = compute_windows_by_sql(dataset)
    columns = [name for name in table.column_names if name not in KEYS]
    assert {*columns} <= {feature.name for feature in listing_window_features()}
    silent = [name for name in columns if not any(table[name].to_pylist())]
    assert not silent


@pytest.mark.parametrize("other", [1.0000000000000002, 2.0, None])
def test_refuse_unequal_says_which_feature_differs(other: float | None) -> None:
    ours = pa.table({"listing_id": ["b", "a"], "as_of_day": [1, 1], "x": [5.0, 1.0]})
    same = pa.table({"listing_id": ["a", "b"], "as_of_day": [1, 1], "x": [1.0, 5.0]})
    refuse_unequal(ours, same, ["x"])
    theirs = pa.table({"listing_id": ["a", "b"], "as_of_day": [1, 1], "x": [other, 5.0]})
    with pytest.raises(UnequalError, match="x"):
        refuse_unequal(ours, theirs, ["x"])


def test_sampled_spine_holds_so_many_moments_and_the_same_ones_again(market: Path) -> None:
    with connect_dataset(market) as dataset:
        spine = build_spine(build_lazy_rows(dataset, Horizons())).select(*KEYS)
        tables = [dataset.connection.to_pyarrow(sample_spine(spine, rows)) for rows in (50, 50, 20)]
    moments = [{tuple(row.values()) for row in table.to_pylist()} for table in tables]
    assert [len(taken) for taken in moments] == [50, 50, 20]
    assert moments[0] == moments[1] > moments[2]


def test_validated_market_is_made_once(work: Path, market: Path) -> None:
    written = (market / "orders.parquet").stat().st_mtime_ns
    assert ensure_market(LINES, work) == market
    assert (market / "orders.parquet").stat().st_mtime_ns == written


def test_validated_market_of_another_configuration_is_made_anew(tmp_path: Path) -> None:
    made = ensure_market(200, tmp_path)
    mark = tmp_path / "market-200-truth" / "simulation.json"
    other = configure_market(200).model_copy(update={"seed": 1})
    mark.write_text(other.model_dump_json(), encoding="utf-8")
    (made / "orders.parquet").unlink()
    assert (ensure_market(200, tmp_path) / "orders.parquet").is_file()


def test_validated_market_of_another_program_is_made_anew(tmp_path: Path) -> None:
    made = ensure_market(200, tmp_path)
    (tmp_path / "validated-200.made-by").write_text("another program")
    (made / "orders.parquet").unlink()
    assert (ensure_market(200, tmp_path) / "orders.parquet").is_file()


def test_markets_grow_in_products_alone() -> None:
    small, large = configure_market(1_000_000), configure_market(10_000_000)
    assert large.products == 10 * small.products
    assert large == small.model_copy(update={"products": large.products})


@pytest.mark.parametrize(
    ("sizes", "costs", "expected"),
    [
        ([1.0, 2.0, 5.0, 10.0], [3.0, 6.0, 15.0, 30.0], 1.0),
        ([1.0, 2.0, 4.0], [1.0, 4.0, 16.0], 2.0),
        ([1e6, 1e7], [8.0, 8.0], 0.0),
        ([1.0, 4.0], [10.0, 5.0], -0.5),
    ],
)
def test_exponent_is_that_of_the_power_law(
    sizes: list[float], costs: list[float], expected: float
) -> None:
    assert growth_exponent(sizes, costs) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sizes", [[], [5.0], [5.0, 5.0]])
def test_exponent_of_one_size_is_unknown(sizes: list[float]) -> None:
    assert growth_exponent(sizes, sizes) is None


@pytest.mark.parametrize(("lines", "rows"), [(10_000_000, 500_000), (1_000_000, 50_000), (3, 1)])
def test_spine_rows_are_in_proportion_to_order_lines(lines: int, rows: int, work: Path) -> None:
    assert FeatureBenchmarkConfig([lines], 500_000, 1, work).scale_spine_rows(lines) == rows


SMALL = FeatureBenchmarkResult(
    order_lines=1_000_000,
    catalogue=(CatalogueCost(50_000, 277, 2.0, 7.0, 1.0, 15.0, 2.0),),
    windows=tuple(
        WindowCost(ElapsedTime(wall, 5.0), ElapsedTime(2.0, 4.0)) for wall in (3.0, 2.0, 8.0)
    ),
    compared=("units_ordered_28d",),
    left_out=("views_28d",),
)
LARGE = replace(
    SMALL,
    order_lines=10_000_000,
    catalogue=(CatalogueCost(500_000, 277, 30.0, 165.0, 5.0, 150.0, 6.5),),
    windows=(WindowCost(ElapsedTime(16.0, 20.0), ElapsedTime(10.0, 20.0)),),
)


def test_verdicts_hold_every_bound_against_what_was_measured() -> None:
    held = {verdict.subject: verdict for verdict in judge_costs([SMALL, LARGE])}
    found = {name: (round(verdict.value, 3), verdict.is_reached) for name, verdict in held.items()}
    ratio = "interpreter / SQL by hand, median"
    assert found == {
        f"{ratio} wall time, 1,000,000 order lines": (1.5, True),
        f"{ratio} CPU time, 1,000,000 order lines": (1.25, True),
        f"{ratio} wall time, 10,000,000 order lines": (1.6, False),
        f"{ratio} CPU time, 10,000,000 order lines": (1.0, True),
        "peak memory in GB, 10,000,000 order lines x 500,000 spine rows": (6.5, False),
        "exponent of wall time over order lines": (1.301, False),
        "exponent of CPU time over order lines": (1.0, True),
    }


def test_page_shows_the_spread_and_what_was_not_reached() -> None:
    console = Console(width=200, record=True, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        console.print(page([SMALL, LARGE]))
    shown = captured.get()
    assert "1.50 (1.00 to 4.00)" in shown
    assert "1.25" in shown
    assert "not reached: peak memory in GB" in shown
    assert "Not written by hand: views_28d." in shown


def test_page_fits_a_terminal_of_80_columns() -> None:
    console = Console(width=80, file=io.StringIO())
    console.print(page([SMALL, replace(SMALL, order_lines=2_000_000), LARGE, LARGE]))
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    assert "…" not in shown
    assert "10,000,000" in shown


def test_bench_features_command_measures_a_tiny_market_from_end_to_end(work: Path) -> None:
    asked = ["--lines", str(LINES), "--spine-rows", "100000", "--repeats", "1", "--json"]
    ran = CliRunner().invoke(app, [*asked, "--work", str(work)])
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    (measured,) = document["measured"]
    (cost,) = measured["catalogue"]
    assert measured["order_lines"] > LINES / 2
    assert cost["spine_rows"] == 30
    assert 0 < cost["peak_gb"] < 6
    assert measured["ratio"]["median"] > 0
    assert document["time_exponent"] is None
