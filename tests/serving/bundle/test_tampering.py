"""Damage that an attacker, a broken disk or a mistake may do to a bundle (H25, H40, H47, H48)."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.catalogue.catalogue import CATALOGUE
from features.runtime.pointer import resolve
from serving.bundle.bundle import FIXED_NAMES, load_bundle
from serving.bundle.checks import sign_bundle, verify_artefact
from serving.bundle.manifest import FORMAT, canonical_json, compute_bundle_id, sha256_hex
from serving.bundle.verified_files import MAX_BYTES
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
    WrongIdError,
)
from tests.worlds.serving import name_after_manifest


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


def _resealed_data(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda directory: _reseal(directory, name, data)


def _unlist(name: str) -> Callable[[Path], None]:
    def remove(directory: Path) -> None:
        (directory / name).unlink()
        files = msgspec.json.decode((directory / "manifest.json").read_bytes())["files"]
        del files[name]
        _edit_json(directory, "manifest.json", files=files)

    return remove


def _empty_canary(directory: Path) -> None:
    """Leave every column and every answer, each without rows: nothing would be compared."""
    canary = msgspec.json.decode((directory / "canary.json").read_bytes())
    none: list[float] = []
    answers = {t: dict.fromkeys(parts, none) for t, parts in canary["expected"].items()}
    columns = dict.fromkeys(canary["columns"], none)
    _edit_json(directory, "canary.json", columns=columns, expected=answers, markets=none)


NO_ROWS: dict[str, list[float]] = {"estimate": [], "outcome": [], "evidence": [], "listings": []}
ONE_CELL = {"count": 1, "values": [0.0]}
FLAT = {"estimates": [0.5], "sizes": [0.1], "units": [1.0], "factors": [1.0]}
CHECKED_EARLY = {"schema.json", "MODEL_CARD.md"}
NO_CELLS = {"difficulty": FLAT, "cells": {}}

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
    ("resealed with a canary without columns", _resealed("canary.json", columns={}), CanaryError),
    ("resealed with a canary without rows", _empty_canary, CanaryError),
    ("resealed with an empty calibration", _resealed_data("calibration.json", b"{}"), CanaryError),
    (
        "resealed with an empty selection",
        _resealed("selection.json", sell_through=NO_ROWS),
        CanaryError,
    ),
    ("resealed with no cells", _resealed("conformal.json", sell_through=NO_CELLS), CanaryError),
    ("resealed with no parameters", _resealed_data("pooling.json", b"{}"), CanaryError),
    ("resealed with no statistics", _resealed_data("reference_stats.json", b"{}"), CanaryError),
    ("resealed with an empty schema", _resealed_data("schema.json", b"{}"), BrokenFileError),
    ("resealed without a model card", _unlist("MODEL_CARD.md"), MissingFileError),
    ("no markets", _resealed("manifest.json", markets=[]), BrokenFileError),
    *(
        (f"resealed with {name} of no bytes", _resealed_data(name, b""), refusal)
        for name, refusal in (
            *((name, CanaryError) for name in sorted(FIXED_NAMES - CHECKED_EARLY)),
            ("schema.json", BrokenFileError),
            ("MODEL_CARD.md", BrokenFileError),
            ("sell_through.0.txt", CanaryError),
        )
    ),
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
        load_bundle(name_after_manifest(directory))
    assert type(caught.value) is refusal
    assert caught.value.exit_code == 5
    assert str(caught.value).startswith("The ")


def _flip_in_manifest(directory: Path) -> None:
    """Turn 0.25 into another number by one bit, as a disk or a stranger may."""
    path = directory / "manifest.json"
    data = path.read_bytes()
    position = data.index(b": 0.25") + 2
    path.write_bytes(data[:position] + b"8" + data[position + 1 :])


@pytest.mark.parametrize("change", [_flip_in_manifest, lambda _: None])
def test_bundle_whose_directory_isnt_its_id_is_refused_with_the_name_it_needs(
    change: Callable[[Path], None], tmp_path: Path, run_directory: Path
) -> None:
    source = resolve(run_directory / "bundles")
    name = source.name if change is _flip_in_manifest else "copy"
    directory = Path(shutil.copytree(source, tmp_path / name))
    change(directory)
    with pytest.raises(WrongIdError) as caught:
        load_bundle(directory)
    needed = compute_bundle_id((directory / "manifest.json").read_bytes())
    assert f"The directory {directory} doesn't have the name {needed}" in caught.value.problem
    assert [check.holds for check in verify_artefact(directory, None)] == [True, True, False]
    with pytest.raises(WrongIdError):
        sign_bundle(directory, Ed25519PrivateKey.generate())
    assert load_bundle(directory.rename(tmp_path / needed)).bundle_id == needed


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
        load_bundle(name_after_manifest(directory))
