"""Parity: training rows through the online path are the same bits, and a difference is found."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from features.catalogue.catalogue import CATALOGUE
from features.cli import app
from features.dataset.days import to_datetime
from features.dataset.horizons import Horizons
from features.declarations.kinds import FeatureFamily
from features.declarations.levels import Level
from features.online.contents import LevelVectors, SnapshotContents
from features.online.store import store_snapshot
from features.parity.compare import Difference, Parity, default_parameters, ulp_distance
from features.parity.report import MAX_SHOWN, parity_page
from features.parity.sample import choose_moments
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.snapshot_values import materialise
from features.runtime.errors import ArtefactError
from tests.worlds.random_markets import FIRST_DAY, OPTIONAL_TABLES, Engine, as_arrow, random_world
from tests.worlds.tables import Frames
from tests.worlds.validated import write_validated

DAY = FIRST_DAY + 90


def validated(frames: Frames, directory: Path) -> Path:
    return write_validated({n: as_arrow(n, frame) for n, frame in frames.items()}, directory)


def contents_of(frames: Frames) -> SnapshotContents:
    dataset = ensure_stock(Engine(frames).dataset, Horizons())
    return materialise(build_stored_rows(dataset, Horizons()), CATALOGUE, to_datetime(DAY))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a random market as a validated directory."""
    return validated(random_world(7), tmp_path_factory.mktemp("validated"))


def asked(data: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["parity", "--data", str(data), *options])
    return result.exit_code, result.stdout


def test_training_rows_are_the_same_bits_online(data: Path) -> None:
    code, text = asked(data, "--sample", "6", "--json")
    found = json.loads(text)
    assert (code, found["different"], found["rows"]) == (0, 0, 6)
    assert len(found["moments"]) == 4
    names = [declared.name for declared in CATALOGUE.declarations]
    assert [one["feature"] for one in found["features"]] == names
    assert {one["bits"] for one in found["features"]} == {0}


def changed(contents: SnapshotContents, level: Level, name: str, by: float) -> SnapshotContents:
    """Plant a difference in a feature of every key."""
    one = contents.levels[level]
    values = one.values.copy()
    values[:, contents.about.levels[level].features.index(name)] += by
    return replace(contents, levels={**contents.levels, level: LevelVectors(one.keys, values)})


def test_snapshot_as_it_lies_there_is_the_same(data: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / store_snapshot(contents_of(random_world(7)), tmp_path)
    code, text = asked(data, "--snapshot", str(snapshot))
    assert code == 0
    assert "different: 0; the largest difference is 0 bits, 0 in value." in text


def test_planted_difference_is_found_with_all_that_rests_on_it(tmp_path: Path) -> None:
    """With the required tables alone: they are what the feature and all that rests on it need."""
    frames = {n: one for n, one in random_world(7).items() if n not in OPTIONAL_TABLES}
    data = tmp_path / "data"
    data.mkdir()
    validated(frames, data)
    name = "days_since_first_order_market"
    planted = changed(contents_of(frames), Level.MARKET, name, by=1.0)
    snapshot = tmp_path / store_snapshot(planted, tmp_path)
    code, text = asked(data, "--snapshot", str(snapshot), "--json")
    found = {one["feature"]: one for one in json.loads(text)["features"] if one["bits"]}
    resting = {one.name for one in CATALOGUE.derived if name in one.inputs}
    assert code == 1
    assert {name} <= set(found) <= {name} | resting
    assert found[name]["value"] == 1.0
    assert found[name]["rows"] == json.loads(text)["rows"]
    assert f"{name} " in asked(data, "--snapshot", str(snapshot))[1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--pooling", "none.json"), "there is no such file"),
        (("--snapshot", "none"), "snapshot.json: it is missing"),
    ],
)
def test_parity_through_what_is_not_there_is_refused(
    data: Path, options: tuple[str, str], says: str
) -> None:
    result = CliRunner().invoke(app, ["parity", "--data", str(data), *options])
    assert says in str(result.exception)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (dict.fromkeys(CATALOGUE.parameters, float("nan")), "not: .* and 36 more"),
        ({"return_rate_mean": float("inf")}, "not: return_rate_mean"),
        ({"return_rate_strength_market": 0.0}, "not: return_rate_strength_market"),
        ({"return_rate_strength_market": -5.0}, r"strengths above 0\. In .*pool.*\.json these are"),
        ({"expected_return_low_star_strength_product": -5.0}, "low_star_strength_product"),
        ({"planted": 1.0}, "its 42 names are not the 41 of the catalogue"),
    ],
)
def test_parameters_under_which_nothing_is_compared_are_refused(
    data: Path, tmp_path: Path, changed: dict[str, float], says: str
) -> None:
    pooling = tmp_path / "pooling.json"
    pooling.write_text(json.dumps({**default_parameters(CATALOGUE), **changed}))
    options = ("parity", "--data", str(data), "--pooling", str(pooling))
    result = CliRunner().invoke(app, options)
    assert isinstance(result.exception, ArtefactError)
    assert re.search(says, str(result.exception))


@pytest.mark.parametrize("effect", [-1.0, 0.0])
def test_effects_of_any_sign_can_be_compared_with(
    data: Path, tmp_path: Path, effect: float
) -> None:
    pooling = tmp_path / "pooling.json"
    changed = {"expected_return_audit_effect": effect}
    pooling.write_text(json.dumps({**default_parameters(CATALOGUE), **changed}))
    assert asked(data, "--sample", "1", "--pooling", str(pooling))[0] == 0


STEPS = [
    (1.0, 1.0, 0),
    (np.nan, np.nan, 0),
    (np.nan, -np.nan, 0),
    (1.0, np.nextafter(1.0, 2.0), 1),
    (0.0, -0.0, 1),
    (np.nextafter(0.0, 1.0), np.nextafter(0.0, -1.0), 3),
    (1.0, 2.0, 1 << 52),
]


@pytest.mark.parametrize(("one", "other", "expected"), STEPS)
def test_steps_count_the_floats_between(one: float, other: float, expected: int) -> None:
    for pair in ((one, other), (other, one)):
        assert ulp_distance(*(np.array([value]) for value in pair)).tolist() == [expected]


def test_null_is_far_from_every_value() -> None:
    values = np.array([0.0, 1.0, -1.0, np.inf, -np.inf])
    assert (ulp_distance(values, np.full(5, np.nan)) > 1 << 50).all()


@pytest.mark.parametrize("most", [1, 2, 4, 40])
def test_first_and_last_moment_are_chosen_and_no_more_than_asked_for(most: int) -> None:
    days = list(range(100, 130))
    chosen = choose_moments(days, np.random.default_rng(0), limit=most)
    assert len(chosen) == min(most, len(days))
    assert chosen == sorted(set(chosen) & set(days))
    assert days[-1] in chosen
    assert most == 1 or days[0] in chosen


def page_of(*features: Difference) -> str:
    """Return the page as wide as it likes, words one space apart."""
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as capture:
        console.print(parity_page(Parity(30, ("2026-01-05", "2026-03-02"), features)))
    lines = capture.get().replace("│", " ").splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)


def test_page_without_a_difference_accounts_for_all_features_family_by_family() -> None:
    families = (FeatureFamily.PRICE, FeatureFamily.DEMAND, FeatureFamily.PRICE)
    page = page_of(*(Difference(f"f{i}", of, 0, 0, 0.0) for i, of in enumerate(families)))
    assert "demand 1 0 0 0\nprice and value 2 0 0 0\n" in page
    assert "f0" not in page
    assert "supplier" not in page


def test_page_of_differences_stays_bounded_and_shows_the_worst_first() -> None:
    page = page_of(
        *(Difference(f"s{i}", FeatureFamily.SUPPLIER, i, 9 * i, 0.5 * i) for i in range(3)),
        *(
            Difference(f"d{i}", FeatureFamily.DEMAND, i, i, None if i == 5 else 0.5)
            for i in range(30)
        ),
    )
    assert "demand 30 29 29 null\nsupplier 3 2 18 1\n" in page
    assert "\nd29 29 29 0.5\nd28 28 28 0.5\n" in page
    assert f"… and {31 - MAX_SHOWN} more: --json has them all." in page
    assert "d3 " not in page
    assert "different: 31; the largest difference is 29 bits, null against a value." in page
