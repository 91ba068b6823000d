"""Damage that an attacker, a broken disk or a mistake may do to a bundle (H25, H40, H47, H48)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.runtime.pointer import resolve
from serving.bundle.bundle import FIXED_NAMES, load_bundle
from serving.bundle.checks import sign_bundle, verify_artefact
from serving.bundle.manifest import FORMAT, compute_bundle_id
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
from tests.worlds.damage.tampered_bundle import (
    add_listed,
    directory_for,
    edit_a_leaf,
    empty,
    empty_canary,
    flip_a_bit,
    grow,
    grow_all,
    link_file,
    link_signature,
    list_file,
    nest,
    plant,
    remove,
    reseal_nested,
    resealed,
    resealed_data,
    resealed_text,
    swap_inputs,
    truncate,
    unlist,
    with_other_leaf,
)
from tests.worlds.serving import name_after_manifest

NO_ROWS: dict[str, list[float]] = {"estimate": [], "outcome": [], "evidence": [], "listings": []}
ONE_CELL = {"count": 1, "values": [0.0]}
FLAT = {"estimates": [0.5], "sizes": [0.1], "units": [1.0], "factors": [1.0]}
CHECKED_EARLY = {"schema.json", "MODEL_CARD.md"}
NO_CELLS = {"difficulty": FLAT, "cells": {}}

HOSTILE: tuple[tuple[str, Callable[[Path], object], type[BundleRefusedError]], ...] = (
    ("truncated", truncate, DigestMismatchError),
    ("a bit flipped", flip_a_bit, DigestMismatchError),
    ("a leaf edited", edit_a_leaf, DigestMismatchError),
    ("schema edited", lambda d: (d / "schema.json").write_text("{}"), DigestMismatchError),
    ("newer format", resealed("manifest.json", format=FORMAT + 1, novelty=True), NewerFormatError),
    ("older format", resealed("manifest.json", format=FORMAT - 1), OlderFormatError),
    (
        "other catalogue",
        resealed("manifest.json", catalogue_fingerprint="f" * 64),
        CatalogueMismatchError,
    ),
    ("unknown key", resealed("manifest.json", novelty=True), BrokenFileError),
    ("manifest no JSON", lambda d: (d / "manifest.json").write_text("{"), BrokenFileError),
    ("manifest no text", lambda d: (d / "manifest.json").write_bytes(b'{"\xff'), BrokenFileError),
    ("manifest a list", lambda d: (d / "manifest.json").write_text("[]"), BrokenFileError),
    ("planted pickle", plant("model.pkl"), UnexpectedFileError),
    ("planted pickle as text", plant("extra.txt"), UnexpectedFileError),
    ("hidden file", plant(".hidden.json"), UnexpectedFileError),
    ("control characters in a name", plant("a\nb.json"), UnexpectedFileError),
    ("symbolic link", link_file, UnexpectedFileError),
    ("directory inside", lambda d: (d / "more").mkdir(), UnexpectedFileError),
    ("pipe inside", lambda d: os.mkfifo(d / "pipe.json"), UnexpectedFileError),
    ("a parent listed", list_file("../secret.json"), UnexpectedFileError),
    ("a file missing", remove("conformal.json"), MissingFileError),
    ("no manifest", remove("manifest.json"), NotABundleError),
    ("nothing at all", empty, NotABundleError),
    ("too large", grow, TooLargeError),
    ("too large in all", grow_all, TooLargeError),
    ("planted archive", plant("model.zip"), UnexpectedFileError),
    ("planted pickle as a signature", plant("model.sig"), UnexpectedFileError),
    ("signature behind a link", link_signature, UnexpectedFileError),
    ("a directory for a file", directory_for("pooling.json"), UnexpectedFileError),
    ("a path listed", list_file("more/model.txt"), UnexpectedFileError),
    ("an absolute path listed", list_file("/etc/hostname"), UnexpectedFileError),
    ("a pickle listed", list_file("model.pkl"), UnexpectedFileError),
    ("the signature listed", list_file("manifest.sig"), UnexpectedFileError),
    ("manifest nested deep", nest("manifest.json"), BrokenFileError),
    ("resealed with a schema nested deep", reseal_nested, BrokenFileError),
    ("a day beyond the calendar", resealed("manifest.json", cut_off_day=10**9), BrokenFileError),
    (
        "learned before the calendar",
        resealed("manifest.json", learned={"first": -1, "last": 20_000}),
        BrokenFileError,
    ),
    ("listed but read by nothing", add_listed, UnexpectedFileError),
    (
        "other schema fingerprint",
        resealed("manifest.json", schema_fingerprint="f" * 64),
        BrokenFileError,
    ),
    ("resealed with inputs swapped", swap_inputs, BrokenFileError),
    (
        "resealed with other horizons",
        resealed("schema.json", horizons={"horizon_days": 0}),
        BrokenFileError,
    ),
    (
        "resealed without sell-through",
        resealed("schema.json", targets=["return_risk"]),
        BrokenFileError,
    ),
    ("resealed without a target", resealed("schema.json", targets=[]), BrokenFileError),
    (
        "resealed with an unknown target",
        resealed("schema.json", targets=["sell_through", "return_risk", "margin"]),
        BrokenFileError,
    ),
    (
        "resealed with targets in another order",
        resealed("schema.json", targets=["return_risk", "sell_through"]),
        BrokenFileError,
    ),
    (
        "resealed with boosters of no target",
        resealed("schema.json", targets=["sell_through"]),
        UnexpectedFileError,
    ),
    ("resealed with more imputed", resealed("schema.json", imputed=[]), BrokenFileError),
    ("resealed with pickle for text", resealed_text(lambda _: "cos\nsystem"), CanaryError),
    ("resealed with half a model", resealed_text(lambda t: t[: len(t) // 2]), CanaryError),
    ("resealed with a leaf edited", resealed_text(with_other_leaf), CanaryError),
    (
        "resealed with no calibration",
        resealed("calibration.json", sell_through={"x": [], "y": []}),
        CanaryError,
    ),
    (
        "resealed with a cell and no parent",
        resealed(
            "conformal.json", return_risk={"difficulty": FLAT, "cells": {"all/some": ONE_CELL}}
        ),
        CanaryError,
    ),
    ("resealed with a parameter more", resealed("pooling.json", more=1.0), CanaryError),
    ("resealed with a canary without columns", resealed("canary.json", columns={}), CanaryError),
    ("resealed with a canary without rows", empty_canary, CanaryError),
    ("resealed with an empty calibration", resealed_data("calibration.json", b"{}"), CanaryError),
    (
        "resealed with an empty selection",
        resealed("selection.json", sell_through=NO_ROWS),
        CanaryError,
    ),
    ("resealed with no cells", resealed("conformal.json", sell_through=NO_CELLS), CanaryError),
    ("resealed with no parameters", resealed_data("pooling.json", b"{}"), CanaryError),
    ("resealed with no statistics", resealed_data("reference_stats.json", b"{}"), CanaryError),
    ("resealed with an empty schema", resealed_data("schema.json", b"{}"), BrokenFileError),
    ("resealed without a model card", unlist("MODEL_CARD.md"), MissingFileError),
    ("no markets", resealed("manifest.json", markets=[]), BrokenFileError),
    *(
        (f"resealed with {name} of no bytes", resealed_data(name, b""), refusal)
        for name, refusal in (
            *((name, CanaryError) for name in sorted(FIXED_NAMES - CHECKED_EARLY)),
            ("schema.json", BrokenFileError),
            ("MODEL_CARD.md", BrokenFileError),
            ("sell_through.0.txt", CanaryError),
        )
    ),
    ("resealed with another answer", resealed("canary.json", expected={}), CanaryError),
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
    resealed_text(lambda text: text[: len(text) // 2])(directory)
    with pytest.raises(CanaryError, match=r"a child process was killed by signal \d+"):
        load_bundle(name_after_manifest(directory))
