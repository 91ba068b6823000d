from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS
from features.runtime.errors import ArtefactError, StorageError
from features.runtime.pointer import resolve
from serving.bundle.bundle import Bundle, BundleContents, load_bundle, write_bundle
from serving.bundle.manifest import FORMAT, canonical_json
from serving.bundle.verified_files import MAX_BYTES, check_loadable
from serving.errors import (
    BundleRefusedError,
    DigestMismatchError,
    OlderFormatError,
    TooLargeError,
    UnexpectedFileError,
)
from serving.prediction.predict import predict
from tests.worlds.serving import bundle_contents, random_columns, random_markets


def _bytes_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_bundle_loaded_predicts_the_bits_of_the_one_written(bundle: Bundle) -> None:
    contents = bundle_contents()
    columns = random_columns(500, seed=31)
    usual = np.ones(500)
    written = predict(contents.models, columns, random_markets(500), coverage=0.8, demand=usual)
    loaded = predict(bundle.models, columns, random_markets(500), coverage=0.8, demand=usual)
    for target in TARGETS:
        for part in ("estimate", "low", "high"):
            np.testing.assert_array_equal(
                getattr(loaded.targets[target], part), getattr(written.targets[target], part)
            )


def test_bundle_loaded_says_what_was_written(bundle: Bundle) -> None:
    contents = bundle_contents()
    assert bundle.horizons == contents.horizons
    assert bundle.manifest.imputed == contents.imputed
    assert bundle.manifest.metrics == contents.metrics
    assert bundle.manifest.cut_off_day == contents.cut_off_day
    assert bundle.manifest.catalogue_fingerprint == CATALOGUE.fingerprint
    assert bundle.manifest.libraries["lightgbm"].startswith("4.")
    assert set(bundle.manifest.libraries) >= {"numpy", "scipy", "scikit-learn"}


def test_bundle_of_equal_contents_is_equal_bytes(tmp_path: Path) -> None:
    first = write_bundle(bundle_contents(), tmp_path / "one")
    second = write_bundle(bundle_contents(), tmp_path / "two")
    assert first == second
    assert _bytes_of(tmp_path / "one" / first) == _bytes_of(tmp_path / "two" / second)


def test_bundle_written_twice_stays_untouched(tmp_path: Path) -> None:
    name = write_bundle(bundle_contents(), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / name).iterdir()}
    assert write_bundle(bundle_contents(), tmp_path) == name
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / name).iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_bundle_of_other_contents_has_another_id(tmp_path: Path) -> None:
    contents = bundle_contents()
    other = replace(contents, metrics={**contents.metrics, "sell_through.mae": 0.125})
    assert write_bundle(contents, tmp_path) != write_bundle(other, tmp_path)


def test_bundle_holds_no_time_of_the_clock(run_directory: Path) -> None:
    today = str(dt.datetime.now(tz=dt.UTC).date())
    for name, data in _bytes_of(resolve(run_directory / "bundles")).items():
        assert today.encode() not in data, name


def test_bundle_overwritten_by_nothing_when_changed_since(tmp_path: Path) -> None:
    directory = tmp_path / write_bundle(bundle_contents(), tmp_path)
    (directory / "pooling.json").write_bytes(b"{}")
    with pytest.raises(DigestMismatchError):
        write_bundle(bundle_contents(), tmp_path)
    assert (directory / "pooling.json").read_bytes() == b"{}"


def test_bundle_that_cant_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError) as caught:
        write_bundle(bundle_contents(), tmp_path / "file")
    assert caught.value.exit_code == 6
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": {"sell_through.log_loss": float("nan")}},
        {"canary": {}},
        {"model_card": "x" * (MAX_BYTES[".md"] + 1)},
        {"canary": random_columns(257, seed=0)},
    ],
)
def test_bundle_with_contents_that_cant_be_checked_isnt_written(
    change: dict[str, Any], tmp_path: Path
) -> None:
    broken: BundleContents = replace(bundle_contents(), **change)
    with pytest.raises((ValueError, ArtefactError)):
        write_bundle(broken, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        ({"model.pkl": b""}, UnexpectedFileError),
        ({"../a.json": b""}, UnexpectedFileError),
        ({f"a{n}.json": b"" for n in range(65)}, UnexpectedFileError),
        ({"a.md": bytes(MAX_BYTES[".md"] + 1)}, TooLargeError),
        ({f"a.{n}.txt": bytes(MAX_BYTES[".txt"]) for n in range(5)}, TooLargeError),
    ],
    ids=["pickle", "path", "too many", "too large", "too large in all"],
)
def test_files_that_loading_would_refuse_are_refused_before_writing(
    files: dict[str, bytes], refusal: type[BundleRefusedError]
) -> None:
    with pytest.raises(refusal):
        check_loadable(files)


OLD_FORMATS = {
    1: "Format 2 starts the trees of return risk from a formula.",
    2: "Format 3 names the listing of each past decision.",
    3: "Format 4 names the days that the models learned from.",
    4: "Format 5 adds the calendar of seasonal uplift.",
    5: "Format 6 renames coverage, difficulty and uplift.",
    6: "Format 7 names the markets that the models learned from.",
    7: "Format 8 predicts the demand behind sell-through.",
    8: "Format 9 says what is usual in each market, which explanations compare with.",
}
"""Format to what the next one changed."""


def test_every_older_format_is_one_of_the_table() -> None:
    assert list(OLD_FORMATS) == list(range(1, FORMAT))


@pytest.mark.parametrize("number", [*OLD_FORMATS, 0, -1])
def test_bundle_of_an_older_format_is_refused_with_what_changed_since(
    number: int, tmp_path: Path, run_directory: Path
) -> None:
    directory = tmp_path / "bundle"
    shutil.copytree(resolve(run_directory / "bundles"), directory)
    path = directory / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes())
    path.write_bytes(canonical_json({**manifest, "format": number}))
    with pytest.raises(OlderFormatError) as caught:
        load_bundle(directory)
    changes = [change for old, change in OLD_FORMATS.items() if old >= number]
    assert str(caught.value) == " ".join(
        [
            f"The bundle has format {number}; this version of xuanpin reads format {FORMAT}.",
            *changes,
            "Make a new bundle with `xuanpin run`; an old one can't be converted.",
        ]
    )
