"""The online snapshot: the training value bit for bit, and refusal of what isn't a snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pandas as pd
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import to_datetime
from features.declarations.levels import LEVEL_KEYS, Level
from features.online.contents import (
    FORMAT,
    LevelAbout,
    LevelVectors,
    ListingFacts,
    ProductFacts,
    SnapshotContents,
    SnapshotRefusedError,
)
from features.online.files import verify_snapshot
from features.online.key_bytes import encode_keys, join_key_parts
from features.online.snapshot import LookupKeys, OnlineSnapshot
from features.online.store import store_snapshot
from features.online.writer import write_snapshot
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.snapshot_values import materialise
from features.point_in_time.training_rows import build_training_rows
from tests.worlds.random_markets import HORIZONS, Engine, random_world


def bits(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    return [float(value).hex() for value in values]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(random_world(11))


@pytest.fixture(scope="module")
def rows(engine: Engine) -> pd.DataFrame:
    table = build_training_rows(build_stored_rows(engine.dataset, HORIZONS), CATALOGUE)
    return pd.DataFrame(table.to_pandas())


@pytest.fixture(scope="module")
def contents(engine: Engine, rows: pd.DataFrame) -> SnapshotContents:
    day = int(rows.as_of_day.quantile(0.6, interpolation="nearest"))
    return materialise(build_stored_rows(engine.dataset, HORIZONS), CATALOGUE, to_datetime(day))


@pytest.fixture
def snapshot(contents: SnapshotContents, tmp_path: Path) -> Path:
    return tmp_path / store_snapshot(contents, tmp_path)


def known(values: pd.Series[Any]) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in values]


def asked(**keys: str | None) -> LookupKeys:
    names = dict.fromkeys(name for level in Level for name in LEVEL_KEYS[level])
    return LookupKeys(**{name: [keys.get(name)] for name in names})


def test_online_row_is_the_training_row_bit_for_bit(
    contents: SnapshotContents, rows: pd.DataFrame, snapshot: Path
) -> None:
    trained = rows[pd.to_datetime(rows.as_of_day, unit="D", utc=True) == contents.about.as_of]
    online = OnlineSnapshot.open(snapshot)
    keys = {name: known(trained[name]) for level in Level for name in LEVEL_KEYS[level]}
    result = online.look_up(LookupKeys(**keys))
    assert set(result.columns) == {feature.name for feature in CATALOGUE.base}
    for name, values in result.columns.items():
        assert bits(values) == bits(trained[name].to_numpy()), name
    for level, found in result.found.items():
        has_key = trained[list(LEVEL_KEYS[level])].notna().all(axis="columns")
        assert found.tolist() == has_key.tolist()


def test_look_up_is_the_same_alone_and_in_company(snapshot: Path) -> None:
    online = OnlineSnapshot.open(snapshot)
    listings = ["US-P0", "nobody", None, "US-P0", "GB-P1"]
    markets = ["US", "XX", "US", "US", "GB"]
    nothing = [None] * len(listings)
    together = online.look_up(LookupKeys(listings, nothing, nothing, nothing, nothing, markets))
    for row, (listing, market) in enumerate(zip(listings, markets, strict=True)):
        alone = online.look_up(asked(listing_id=listing, market=market))
        for name, values in together.columns.items():
            assert bits(values[row : row + 1]) == bits(alone.columns[name]), name
        for level in Level:
            assert together.found[level][row] == alone.found[level][0]


def test_look_up_again_is_the_same_whoever_was_asked_for_before(snapshot: Path) -> None:
    asked_for = [
        asked(market=market, category=category)
        for market in ("US", "XX", "GB")
        for category in ("c0", None, "nobody's")
    ]

    def looked_up(keys: list[LookupKeys]) -> list[dict[str, list[str]]]:
        with closing(OnlineSnapshot.open(snapshot)) as online:
            results = [online.look_up(key).columns for key in keys]
        return [{name: bits(values) for name, values in one.items()} for one in results]

    alone = [looked_up([key])[0] for key in asked_for]
    assert looked_up(asked_for * 2) == alone * 2
    assert looked_up(asked_for[::-1]) == alone[::-1]


def test_unknown_keys_get_what_empty_history_has_in_training(snapshot: Path) -> None:
    online = OnlineSnapshot.open(snapshot)
    result = online.look_up(asked(product_id="new", market="US"))
    assert result.found[Level.MARKET].tolist() == [True]
    assert not result.found[Level.LISTING][0]
    assert result.columns["units_ordered_28d"].tolist() == [0.0]
    assert np.isnan(result.columns["days_since_last_order"][0])
    assert result.columns["days_since_first_order_market"][0] > 0


def test_snapshot_knows_products_listings_and_markets(snapshot: Path) -> None:
    online = OnlineSnapshot.open(snapshot)
    products = [ProductFacts("c1", "c", "S1"), ProductFacts("c0", None, None), None]
    assert online.products(["P1", "P2", "new"]) == products
    listing, *others = online.listings(["US-P0", "new", None])
    assert listing is not None
    assert listing[:2] == ("P0", "US")
    assert others == [None, None]
    assert online.only_listings([("P0", "US"), ("P2", "GB")]) == ["US-P0", None]
    assert online.about.markets == {"US": "USD", "GB": "USD"}
    assert online.categories == {"c0", "c1"}


def test_product_listed_twice_in_a_market_has_no_only_listing(
    contents: SnapshotContents, tmp_path: Path
) -> None:
    twice = {**contents.listings, "US-P0-again": ListingFacts("P0", "US", None)}
    write_snapshot(replace(contents, listings=twice), tmp_path)
    online = OnlineSnapshot.open(tmp_path)
    assert online.only_listings([("P0", "US"), ("P0", "GB")]) == [None, "GB-P0"]


def test_listing_that_is_to_go_live_later_is_not_the_only_one_yet(
    contents: SnapshotContents, tmp_path: Path
) -> None:
    later = {"US-P0-next": ListingFacts("P0", "US", None, is_live=False)}
    write_snapshot(replace(contents, listings={**contents.listings, **later}), tmp_path)
    assert OnlineSnapshot.open(tmp_path).only_listings([("P0", "US")]) == ["US-P0"]


def test_identifiers_of_any_length_are_keys_of_their_own(
    contents: SnapshotContents, tmp_path: Path
) -> None:
    level = Level.SUPPLIER_CATEGORY
    keys = [("é" * 128 + str(i), "ü" * 128) for i in range(3)]
    values = np.arange(3.0 * len(CATALOGUE.at_level(level))).reshape(3, -1)
    levels = {**contents.levels, level: LevelVectors(keys, values)}
    about = contents.about.levels[level].model_copy(update={"keys": len(keys)})
    said = {"levels": {**contents.about.levels, level: about}}
    other = replace(contents, about=contents.about.model_copy(update=said), levels=levels)
    write_snapshot(other, tmp_path)
    found, is_known = OnlineSnapshot.open(tmp_path).vectors(level, [*keys[::-1], ("é", "ü")])
    assert is_known.tolist() == [True, True, True, False]
    assert found[:3].tolist() == values[::-1].tolist()
    assert len(set(encode_keys(level.value, map(join_key_parts, keys)))) == 3


@pytest.mark.parametrize(
    "words", [[], [""], ["a", "b"], ["a\x1eb", "c"], ["\x1e"], ["ü", "", "x" * 600]]
)
def test_keys_are_the_words_behind_their_kind_whatever_is_in_them(words: list[str]) -> None:
    keys = encode_keys("kind", words)
    assert keys == [key for word in words for key in encode_keys("kind", [word])]
    short = [f"{word}\x1fkind".encode() for word in words if len(word) < 99]
    assert keys[: len(short)] == short


@pytest.mark.parametrize(
    ("keys", "described", "says"),
    [
        (["a", "a"], 2, "a key is there twice"),
        (["a", "b"], 3, r"expected vectors of shape \(3, 2\), found \(2, 2\)"),
    ],
)
def test_levels_that_differ_from_their_description_are_not_written(
    contents: SnapshotContents, keys: list[str], described: int, says: str, tmp_path: Path
) -> None:
    about = LevelAbout(features=("a", "b"), defaults=(0.0, 0.0), keys=described)
    levels = {Level.LISTING: LevelVectors([(key,) for key in keys], np.zeros((len(keys), 2)))}
    update = {"levels": {Level.LISTING: about}}
    other = replace(contents, about=contents.about.model_copy(update=update), levels=levels)
    with pytest.raises(ValueError, match=says):
        write_snapshot(other, tmp_path)


def test_closed_snapshot_can_be_opened_again_and_answers_no_more(snapshot: Path) -> None:
    online = OnlineSnapshot.open(snapshot)
    before = online.look_up(asked(market="US")).columns
    online.close()
    with pytest.raises(lmdb.Error, match="closed"):
        online.look_up(asked(market="US"))
    again = OnlineSnapshot.open(snapshot).look_up(asked(market="US")).columns
    assert {name: bits(one) for name, one in again.items()} == {
        name: bits(one) for name, one in before.items()
    }


def test_verifying_a_snapshot_without_data_is_refused(snapshot: Path) -> None:
    (snapshot / "data.mdb").unlink()
    with pytest.raises(SnapshotRefusedError, match=r"data\.mdb: it is missing"):
        verify_snapshot(snapshot)


def test_equal_contents_give_equal_files_in_whatever_order(
    contents: SnapshotContents, tmp_path: Path
) -> None:
    backwards = {
        level: LevelVectors(one.keys[::-1], one.values[::-1])  # noqa: PD011 - not a frame
        for level, one in reversed(list(contents.levels.items()))
    }
    listings = dict(reversed(list(contents.listings.items())))
    other = replace(contents, levels=backwards, listings=listings)
    first, second = tmp_path / "first", tmp_path / "second"
    assert write_snapshot(contents, first) == write_snapshot(other, second)
    names = sorted(file.name for file in first.iterdir())
    assert names == sorted(file.name for file in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def open_verified(directory: Path) -> None:
    OnlineSnapshot.open_verified(directory).close()


def _flip_a_bit(name: str) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        data = bytearray((directory / name).read_bytes())
        data[len(data) // 2] ^= 1
        (directory / name).write_bytes(bytes(data))

    return damage


def _truncate(name: str) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        data = (directory / name).read_bytes()
        (directory / name).write_bytes(data[: len(data) // 2])

    return damage


def _without_proof(directory: Path) -> None:
    about = json.loads((directory / "snapshot.json").read_text())
    del about["data"]
    (directory / "snapshot.json").write_text(json.dumps(about))


def _change(**facts: object) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        about = json.loads((directory / "snapshot.json").read_text())
        (directory / "snapshot.json").write_text(json.dumps({**about, **facts}))

    return change


def _change_market(directory: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    about = json.loads((directory / "snapshot.json").read_text())
    levels = {**about["levels"], "market": change(about["levels"]["market"])}
    _change(levels=levels)(directory)


def _change_names(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        _change_market(directory, lambda one: {**one, "features": change(one["features"])})

    return damage


def _fewer_keys(directory: Path) -> None:
    _change_market(directory, lambda market: {**market, "keys": market["keys"] - 1})


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_flip_a_bit("data.mdb"), r"data\.mdb was changed \(SHA-256 \w+…, not \w+…\)"),
        (_truncate("data.mdb"), r"data\.mdb has [\d,]+ bytes instead of"),
        (_without_proof, "data: Field required"),
        (_change(format=FORMAT - 1), f"it has format {FORMAT - 1}"),
        (_change(format=FORMAT - 1, files={}), f"it has format {FORMAT - 1}"),
        (_change(levels={"listing": {"features": []}}), "levels.listing.defaults"),
        (_change(planted="x"), "planted"),
        (_change(as_of="2024-04-02T00:00:00Z"), "the directory the name"),
        (_change(as_of="2024-04-02T00:00:00"), "as_of: Input should have timezone info"),
        (_change_names(lambda names: [names[1], names[0], *names[2:]]), "has the id"),
        (_change_names(lambda names: names[1:]), "has the id"),
        (_change_names(lambda names: [names[1], *names[1:]]), "is there twice"),
        (_fewer_keys, r"snapshot\.json has the id"),
        (lambda directory: (directory / "snapshot.json").unlink(), "snapshot.json"),
        (lambda directory: (directory / "data.mdb").unlink(), "is missing"),
        (lambda directory: (directory / "data.mdb").write_bytes(b""), "0 bytes"),
        (lambda directory: (directory / "snapshot.json").write_bytes(b"\xff{"), "Invalid JSON"),
    ],
)
def test_damaged_snapshot_is_refused_with_the_reason(
    snapshot: Path, damage: Callable[[Path], None], says: str
) -> None:
    damage(snapshot)
    with pytest.raises(SnapshotRefusedError, match=says) as refusal:
        open_verified(snapshot)
    assert "Make a new one with" in str(refusal.value)


def test_snapshot_in_a_directory_of_another_name_is_refused_but_not_behind_a_link(
    snapshot: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(snapshot)
    verify_snapshot(tmp_path / "link")
    renamed = snapshot.rename(tmp_path / "renamed")
    with pytest.raises(SnapshotRefusedError, match="the directory the name renamed"):
        verify_snapshot(renamed)
