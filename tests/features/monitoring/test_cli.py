"""`xuanpin features check`, end to end on a small market, with and without a bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

import xuanpin
from features.catalogue.catalogue import CATALOGUE
from features.contract.tables import TABLE_BY_NAME
from features.dataset.dataset import open_dataset
from features.dataset.days import DaySpan
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.monitoring.bundle_reference import (
    OtherHorizonsError,
    UnusableBundleError,
    read_reference,
)
from features.monitoring.recent_rows import NothingOnSaleError, number_keys, recent_rows
from features.monitoring.reference_stats import describe_inputs
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import build_stored_rows
from features.runtime.errors import XuanpinError
from tests.worlds.sources import Row, Source, as_arrow
from tests.worlds.validated import write_validated

START = datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None)
LISTINGS, DAYS = 80, 130
LAST = "2024-05-09"
PARAMETERS = {name: 0.1 if name.endswith("_mean") else 20.0 for name in CATALOGUE.parameters}


def happened(day: float) -> Row:
    moment = START + timedelta(days=day, hours=12)
    return {"event_time": moment, "available_at": moment}


def market(units: int = 1) -> Source:
    """Return orders, reviews and languages of many listings; the units of late orders vary."""
    rng = np.random.default_rng(0)
    names = [f"L{i:02d}" for i in range(LISTINGS)]
    products: list[Row] = [
        {"product_id": f"P{i}", "supplier_id": f"S{i % 9}", "category": f"c{i % 3}"}
        for i in range(LISTINGS)
    ]
    live = {"mode": "self_run", "listed_at": START, "list_price_minor": 900, "currency": "EUR"}
    sold = [
        (day, name)
        for day in range(DAYS)
        for name in names
        if rng.random() < 0.3 or day == DAYS - 1
    ]
    orders = [
        {
            "order_line_id": f"O{i}",
            "order_id": f"O{i}",
            "listing_id": name,
            "buyer_key": f"B{rng.integers(200)}",
            "units": 1 + int(rng.integers(3)) * (units if day > DAYS - 60 else 1),
            "unit_price_minor": 900,
            **happened(day),
        }
        for i, (day, name) in enumerate(sold)
    ]
    reviews = [
        {"review_id": f"R{d}", "listing_id": names[d % LISTINGS], "rating": 4, "has_media": True}
        | happened(d)
        for d in range(DAYS)
    ]
    languages = [
        {"listing_id": name, "attribute": "language", "value": 0.5, **happened(1)} for name in names
    ]
    return {
        "products": products,
        "listings": [
            {"listing_id": name, "product_id": f"P{i}", "market": "DE", **live}
            for i, name in enumerate(names)
        ],
        "orders": orders,
        "reviews": reviews,
        "localisation": languages,
    }


def written(directory: Path, source: Source) -> Path:
    """Write tables as validation does: every column of the contract, null where not known."""
    directory.mkdir()
    tables = {}
    for name, rows in source.items():
        columns = TABLE_BY_NAME[name].columns
        whole = [{column: row.get(column) for column in columns} for row in rows]
        tables[name] = as_arrow(name, whole)
    return write_validated(tables, directory)


def reference_of(data: Path) -> dict[str, bytes]:
    """Return the files of a bundle whose reference is what the data hold."""
    dataset = ensure_stock(open_dataset(data), Horizons())
    signals = build_stored_rows(dataset, Horizons())
    last = dataset.cut_off_day()
    rows = recent_rows(signals, CATALOGUE, DaySpan(last - 27, last), PARAMETERS)
    inputs = rows.matrix[:, [declared.is_input for declared in CATALOGUE.declarations]]
    return {
        "reference_stats.json": msgspec.json.encode(describe_inputs(CATALOGUE, inputs)),
        "pooling.json": json.dumps(PARAMETERS).encode(),
        "schema.json": json.dumps({"horizons": Horizons().model_dump()}).encode(),
    }


def sealed(directory: Path, files: dict[str, bytes]) -> Path:
    """Write files with a manifest that vouches for them; return the directory, named after it."""
    digests = {name: {"sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    manifest = {"catalogue_fingerprint": CATALOGUE.fingerprint, "files": digests}
    text = json.dumps(manifest).encode()
    named = directory / hashlib.sha256(text).hexdigest()[:16]
    named.mkdir(parents=True)
    for name, data in {"manifest.json": text, **files}.items():
        (named / name).write_bytes(data)
    return named


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("market") / "valid", market())


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    return sealed(tmp_path_factory.mktemp("bundles") / "0123", reference_of(data))


def check(*arguments: object) -> Result:
    return CliRunner().invoke(xuanpin.app, ["features", "check", *map(str, arguments)])


def found(result: Result) -> tuple[int, set[tuple[str, str]]]:
    document = json.loads(result.stdout)
    checks = document["checks"]
    return result.exit_code, {
        (one["check"], finding["subject"]) for one in checks for finding in one["findings"]
    }


def test_check_of_the_reference_s_own_data_finds_nothing(data: Path, bundle: Path) -> None:
    lenient = ("--as-of", "2024-05-14", "--stale-after", 200)
    result = check("--data", data, "--bundle", bundle, *lenient)
    assert result.exit_code == 0
    page = " ".join(result.stdout.split())
    assert page.startswith(
        f"320 decisions on 80 listings, 2024-04-12 to {LAST}, as of 2024-05-14, "
        f"against bundle {bundle.name}"
    )
    assert page.endswith("Nothing found.")


def test_check_for_a_later_day_finds_that_tables_stopped(data: Path) -> None:
    result = check("--data", data, "--as-of", "2024-05-14", "--json")
    exit_code, findings = found(result)
    assert exit_code == 1
    assert {one for one in findings if one[0] != "all null"} == {
        ("freshness", "orders"),
        ("freshness", "reviews"),
    }
    assert ("all null", "packed_weight_g_product") in findings
    document = json.loads(result.stdout)
    assert list(document["skipped"]) == ["null share", "drift"]
    assert "pooled features are left out" in document["checks"][0]["remarks"][0]


def test_check_finds_what_was_planted_in_the_data(tmp_path: Path, bundle: Path) -> None:
    spoilt = market(units=5)
    spoilt["reviews"] = spoilt["reviews"][:-10]
    spoilt["localisation"][7]["value"] = 1.5
    exit_code, findings = found(
        check("--data", written(tmp_path / "valid", spoilt), "--bundle", bundle, "--json")
    )
    assert exit_code == 1
    assert {one for one in findings if one[0] in {"bounds", "all null", "freshness"}} == {
        ("bounds", "language_met_share"),
        ("freshness", "reviews"),
    }
    drifted = {subject for name, subject in findings if name == "drift"}
    assert {"demand_pace_28d", "order_size_84d"} <= drifted
    assert not any("review" in name or "price" in name for name in drifted)


@pytest.mark.parametrize(
    ("arguments", "error", "exit_code"),
    [
        (("--as-of", "2023-06-01"), NothingOnSaleError, 3),
        (("--bundle", "nowhere"), UnusableBundleError, 5),
    ],
)
def test_check_refuses_what_cannot_be_checked(
    data: Path, arguments: tuple[str, ...], error: type[XuanpinError], exit_code: int
) -> None:
    refused = check("--data", data, *arguments).exception
    assert isinstance(refused, error)
    assert refused.exit_code == exit_code


def test_check_refuses_other_horizons_than_the_bundle_s(
    tmp_path: Path, data: Path, bundle: Path
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[horizons]\nhorizon_days = 14\n")
    refused = check("--data", data, "--bundle", bundle, "--config", config).exception
    assert isinstance(refused, OtherHorizonsError)
    assert "horizons.horizon_days = 14, and the bundle was made with 28." in str(refused)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "manifest.json",
            {"catalogue_fingerprint": "0" * 64, "files": {}},
            "for catalogue 0000",
        ),
        ("manifest.json", {}, "manifest.json doesn't have the form"),
        (
            "reference_stats.json",
            {},
            "reference_stats.json is not the file",
        ),
        ("pooling.json", {}, "pooling.json is not the file"),
    ],
)
def test_bundle_that_was_changed_is_refused(
    tmp_path: Path, bundle: Path, name: str, content: dict[str, object], message: str
) -> None:
    copied = Path(shutil.copytree(bundle, tmp_path / bundle.name))
    (copied / name).write_text(json.dumps(content))
    with pytest.raises(UnusableBundleError) as refused:
        read_reference(copied, CATALOGUE)
    assert message.lower() in str(refused.value).lower()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pooling": b"{}"}, "pooling.json has 0 parameters, not the"),
        ({"reference_stats": b"{}"}, "reference_stats.json has 0 columns, not the"),
        (
            {"schema": b'{"horizons": {"horizon_days": 0}}'},
            "horizons in schema.json are out",
        ),
        ({"pooling": b'{"a": NaN}'}, "pooling.json doesn't have the form"),
    ],
)
def test_bundle_of_another_form_is_refused(
    tmp_path: Path, bundle: Path, changed: dict[str, bytes], message: str
) -> None:
    names = ("reference_stats", "pooling", "schema")
    files = {f"{name}.json": (bundle / f"{name}.json").read_bytes() for name in names}
    files |= {f"{name}.json": data for name, data in changed.items()}
    with pytest.raises(UnusableBundleError) as refused:
        read_reference(sealed(tmp_path / "b", files), CATALOGUE)
    assert message in str(refused.value)


def test_bundle_of_another_name_than_its_manifest_gives_is_refused(
    tmp_path: Path, bundle: Path
) -> None:
    copied = Path(shutil.copytree(bundle, tmp_path / "copy"))
    with pytest.raises(UnusableBundleError, match=f"gives it the name {bundle.name}"):
        read_reference(copied, CATALOGUE)


def test_file_that_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to(tmp_path / "other")
    with pytest.raises(UnusableBundleError, match=r"manifest\.json: it is a symbolic link"):
        read_reference(tmp_path, CATALOGUE)


def test_numbers_of_keys_tell_keys_apart() -> None:
    table = pa.table({"category": ["a", "a", "b", "b"], "market": ["x", "y", "x", "x"]})
    assert len(set(number_keys(table, Level.CATEGORY_MARKET).tolist())) == 3
