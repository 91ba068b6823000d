from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Callable
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
from serving.bundle.manifest import FORMAT, canonical_json, sha256_hex
from serving.bundle.verified_files import MAX_BYTES, check_loadable
from serving.errors import (
    BrokenFileError,
    BundleRefusedError,
    CanaryError,
    CatalogueMismatchError,
    DigestMismatchError,
    MissingFileError,
    NewerFormatError,
    NotABundleError,
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


# Damage that an attacker, a broken disk or a mistake may do to a bundle (H25, H40).


def _truncate(directory: Path) -> None:
    path = directory / "sell_through.0.txt"
    path.write_bytes(path.read_bytes()[:5_000])


def _flip_a_bit(directory: Path) -> None:
    path = directory / "return_risk.1.txt"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _edit_a_leaf(directory: Path) -> None:
    path = directory / "sell_through.0.txt"
    path.write_text(_with_other_leaf(path.read_text()))


def _with_other_leaf(text: str) -> str:
    """Change the first digits of a leaf and keep the text's length."""
    return re.sub(r"leaf_value=-?0\.\d\d", lambda m: m.group()[:-2] + "77", text, count=1)


def _reseal(directory: Path, name: str, data: bytes) -> None:
    """Replace a file and its digest in the manifest; only a signature can prevent this."""
    (directory / name).write_bytes(data)
    manifest = msgspec.json.decode((directory / "manifest.json").read_bytes())
    manifest["files"][name] = {"bytes": len(data), "sha256": sha256_hex(data)}
    if name == "schema.json":
        manifest["schema_fingerprint"] = sha256_hex(data)
    (directory / "manifest.json").write_bytes(canonical_json(manifest))


def _edit_json(directory: Path, name: str, **changes: object) -> None:
    content = msgspec.json.decode((directory / name).read_bytes())
    content.update(changes)
    if name == "manifest.json":
        (directory / name).write_bytes(canonical_json(content))
    else:
        _reseal(directory, name, canonical_json(content))


def _swap_inputs(directory: Path) -> None:
    inputs = CATALOGUE.model_inputs
    _edit_json(directory, "schema.json", model_inputs=[inputs[1], inputs[0], *inputs[2:]])


def _link(directory: Path) -> None:
    (directory / "pooling.json").unlink()
    (directory / "pooling.json").symlink_to("calibration.json")


def _plant(name: str) -> Callable[[Path], None]:
    def plant(directory: Path) -> None:
        (directory / name).write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    return plant


def _grow(directory: Path) -> None:
    os.truncate(directory / "MODEL_CARD.md", MAX_BYTES[".md"] + 1)


def _grow_all(directory: Path) -> None:
    for number in range(2, 6):
        with (directory / f"sell_through.{number}.txt").open("wb") as file:
            file.truncate(MAX_BYTES[".txt"])


def _link_signature(directory: Path) -> None:
    (directory / "manifest.sig").symlink_to("manifest.json")


def _directory_for(name: str) -> Callable[[Path], None]:
    def replace_by_directory(directory: Path) -> None:
        (directory / name).unlink()
        (directory / name).mkdir()

    return replace_by_directory


def _list(name: str) -> Callable[[Path], None]:
    def add_to_list(directory: Path) -> None:
        files = msgspec.json.decode((directory / "manifest.json").read_bytes())["files"]
        _edit_json(directory, "manifest.json", files={**files, name: files["schema.json"]})

    return add_to_list


NESTED = b'{"format": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def _nest(name: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_bytes(NESTED)


def _reseal_nested(directory: Path) -> None:
    _reseal(directory, "schema.json", NESTED.replace(b"format", b"horizons"))


def _resealed_text(edit: Callable[[str], str]) -> Callable[[Path], None]:
    def reseal(directory: Path) -> None:
        text = (directory / "sell_through.0.txt").read_text()
        _reseal(directory, "sell_through.0.txt", edit(text).encode())

    return reseal


def _resealed(name: str, **changes: object) -> Callable[[Path], None]:
    return lambda directory: _edit_json(directory, name, **changes)


def _add_listed(directory: Path) -> None:
    _reseal(directory, "more.json", b"{}")


def _remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def _empty(directory: Path) -> None:
    shutil.rmtree(directory)
    directory.mkdir()


ONE_CELL = {"count": 1, "values": [0.0]}
FLAT = {"estimates": [0.5], "sizes": [0.1], "units": [1.0], "factors": [1.0]}

HOSTILE: tuple[tuple[str, Callable[[Path], object], type[BundleRefusedError]], ...] = (
    ("truncated", _truncate, DigestMismatchError),
    ("a bit flipped", _flip_a_bit, DigestMismatchError),
    ("a leaf edited", _edit_a_leaf, DigestMismatchError),
    ("schema edited", lambda d: (d / "schema.json").write_text("{}"), DigestMismatchError),
    ("newer format", _resealed("manifest.json", format=FORMAT + 1, novelty=True), NewerFormatError),
    ("older format", _resealed("manifest.json", format=FORMAT - 1), OlderFormatError),
    (
        "other catalogue",
        _resealed("manifest.json", catalogue_fingerprint="f" * 64),
        CatalogueMismatchError,
    ),
    ("unknown key", _resealed("manifest.json", novelty=True), BrokenFileError),
    ("manifest no JSON", lambda d: (d / "manifest.json").write_text("{"), BrokenFileError),
    ("manifest no text", lambda d: (d / "manifest.json").write_bytes(b'{"\xff'), BrokenFileError),
    ("manifest a list", lambda d: (d / "manifest.json").write_text("[]"), BrokenFileError),
    ("planted pickle", _plant("model.pkl"), UnexpectedFileError),
    ("planted pickle as text", _plant("extra.txt"), UnexpectedFileError),
    ("hidden file", _plant(".hidden.json"), UnexpectedFileError),
    ("control characters in a name", _plant("a\nb.json"), UnexpectedFileError),
    ("symbolic link", _link, UnexpectedFileError),
    ("directory inside", lambda d: (d / "more").mkdir(), UnexpectedFileError),
    ("pipe inside", lambda d: os.mkfifo(d / "pipe.json"), UnexpectedFileError),
    ("a parent listed", _list("../secret.json"), UnexpectedFileError),
    ("a file missing", _remove("conformal.json"), MissingFileError),
    ("no manifest", _remove("manifest.json"), NotABundleError),
    ("nothing at all", _empty, NotABundleError),
    ("too large", _grow, TooLargeError),
    ("too large in all", _grow_all, TooLargeError),
    ("planted archive", _plant("model.zip"), UnexpectedFileError),
    ("planted pickle as a signature", _plant("model.sig"), UnexpectedFileError),
    ("signature behind a link", _link_signature, UnexpectedFileError),
    ("a directory for a file", _directory_for("pooling.json"), UnexpectedFileError),
    ("a path listed", _list("more/model.txt"), UnexpectedFileError),
    ("an absolute path listed", _list("/etc/hostname"), UnexpectedFileError),
    ("a pickle listed", _list("model.pkl"), UnexpectedFileError),
    ("the signature listed", _list("manifest.sig"), UnexpectedFileError),
    ("manifest nested deep", _nest("manifest.json"), BrokenFileError),
    ("resealed with a schema nested deep", _reseal_nested, BrokenFileError),
    ("a day beyond the calendar", _resealed("manifest.json", cut_off_day=10**9), BrokenFileError),
    (
        "learned before the calendar",
        _resealed("manifest.json", learned={"first": -1, "last": 20_000}),
        BrokenFileError,
    ),
    ("listed but read by nothing", _add_listed, UnexpectedFileError),
    (
        "other schema fingerprint",
        _resealed("manifest.json", schema_fingerprint="f" * 64),
        BrokenFileError,
    ),
    ("resealed with inputs swapped", _swap_inputs, BrokenFileError),
    (
        "resealed with other horizons",
        _resealed("schema.json", horizons={"horizon_days": 0}),
        BrokenFileError,
    ),
    (
        "resealed without sell-through",
        _resealed("schema.json", targets=["return_risk"]),
        BrokenFileError,
    ),
    ("resealed without a target", _resealed("schema.json", targets=[]), BrokenFileError),
    (
        "resealed with an unknown target",
        _resealed("schema.json", targets=["sell_through", "return_risk", "margin"]),
        BrokenFileError,
    ),
    (
        "resealed with targets in another order",
        _resealed("schema.json", targets=["return_risk", "sell_through"]),
        BrokenFileError,
    ),
    (
        "resealed with boosters of no target",
        _resealed("schema.json", targets=["sell_through"]),
        UnexpectedFileError,
    ),
    ("resealed with more imputed", _resealed("schema.json", imputed=[]), BrokenFileError),
    ("resealed with pickle for text", _resealed_text(lambda _: "cos\nsystem"), CanaryError),
    ("resealed with half a model", _resealed_text(lambda t: t[: len(t) // 2]), CanaryError),
    ("resealed with a leaf edited", _resealed_text(_with_other_leaf), CanaryError),
    (
        "resealed with no calibration",
        _resealed("calibration.json", sell_through={"x": [], "y": []}),
        CanaryError,
    ),
    (
        "resealed with a cell and no parent",
        _resealed(
            "conformal.json", return_risk={"difficulty": FLAT, "cells": {"all/some": ONE_CELL}}
        ),
        CanaryError,
    ),
    ("resealed with a parameter more", _resealed("pooling.json", more=1.0), CanaryError),
    ("resealed with an empty canary", _resealed("canary.json", columns={}), CanaryError),
    ("resealed with another answer", _resealed("canary.json", expected={}), CanaryError),
)


@pytest.mark.parametrize(
    ("spoil", "refusal"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_bundle_that_was_tampered_with_is_refused(
    spoil: Callable[[Path], object],
    refusal: type[BundleRefusedError],
    tmp_path: Path,
    run_directory: Path,
) -> None:
    directory = tmp_path / "bundle"
    shutil.copytree(resolve(run_directory / "bundles"), directory)
    spoil(directory)
    with pytest.raises(refusal) as caught:
        load_bundle(directory)
    assert type(caught.value) is refusal
    assert caught.value.exit_code == 5
    assert str(caught.value).startswith("The ")
    assert str(tmp_path) not in str(caught.value)


def test_bundle_behind_a_link_is_refused(tmp_path: Path, run_directory: Path) -> None:
    (tmp_path / "link").symlink_to(resolve(run_directory / "bundles"))
    with pytest.raises(NotABundleError, match="link is not a bundle: it is a symbolic link"):
        load_bundle(tmp_path / "link")


def test_bundle_with_too_many_files_is_refused(tmp_path: Path, run_directory: Path) -> None:
    directory = tmp_path / "bundle"
    shutil.copytree(resolve(run_directory / "bundles"), directory)
    for number in range(70):
        (directory / f"sell_through.{number}.txt").touch()
    with pytest.raises(UnexpectedFileError, match="more than 64 files"):
        load_bundle(directory)


def test_model_that_kills_its_process_kills_only_the_child(
    tmp_path: Path, run_directory: Path
) -> None:
    directory = tmp_path / "bundle"
    shutil.copytree(resolve(run_directory / "bundles"), directory)
    _resealed_text(lambda text: text[: len(text) // 2])(directory)
    with pytest.raises(CanaryError, match=r"a child process was killed by signal \d+"):
        load_bundle(directory)


OLD_FORMATS = {
    1: "Format 2 starts the trees of return risk from a formula.",
    2: "Format 3 names the listing of each past decision.",
    3: "Format 4 names the days that the models learned from.",
    4: "Format 5 adds the calendar of seasonal uplift.",
    5: "Format 6 renames coverage, difficulty and uplift.",
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
    _edit_json(directory, "manifest.json", format=number)
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
