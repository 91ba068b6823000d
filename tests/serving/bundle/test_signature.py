from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from features.online.files import sign_snapshot
from features.runtime.errors import ArtefactError
from features.runtime.pointer import resolve
from features.runtime.signature import (
    SIGNATURE_BYTES,
    KeyRefusedError,
    SignatureRefusedError,
    fingerprint,
    make_keys,
    read_private_key,
    read_public_key,
)
from serving.bundle.bundle import load_bundle
from serving.bundle.checks import CHECKS, sign_bundle, verify_artefact
from serving.bundle.manifest import FORMAT, SIGNATURE, canonical_json, sha256_hex
from serving.bundle.verified_files import read_verified
from serving.errors import (
    CanaryError,
    DigestMismatchError,
    TooLargeError,
    UnexpectedFileError,
)
from serving.prediction.booster import Booster
from serving.scoring.loading import load_artefacts
from tests.worlds.serving import name_after_manifest, replace_leaves

PAIR = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = PAIR.public_key()


@pytest.fixture(scope="module")
def signed_once(tmp_path_factory: pytest.TempPathFactory, run_directory: Path) -> Path:
    source = resolve(run_directory / "bundles")
    directory = tmp_path_factory.mktemp("signed") / source.name
    shutil.copytree(source, directory)
    sign_bundle(directory, PAIR)
    return directory


@pytest.fixture
def signed(tmp_path: Path, signed_once: Path) -> Path:
    directory = tmp_path / "bundles" / signed_once.name
    shutil.copytree(signed_once, directory)
    return directory


def test_signature_is_of_the_exact_bytes_of_the_manifest(signed: Path) -> None:
    signature = (signed / SIGNATURE).read_bytes()
    assert len(signature) == SIGNATURE_BYTES
    KEY.verify(signature, (signed / "manifest.json").read_bytes())
    assert [path.name for path in signed.parent.iterdir()] == [signed.name]


def test_bundle_that_is_signed_loads_with_its_key_and_without_one(signed: Path) -> None:
    assert load_bundle(signed, KEY).bundle_id == load_bundle(signed).bundle_id


def test_bundle_signed_again_by_another_is_the_others(signed: Path) -> None:
    sign_bundle(signed, OTHER)
    read_verified(signed, OTHER.public_key())
    with pytest.raises(SignatureRefusedError):
        read_verified(signed, KEY)


def _unsign(directory: Path) -> None:
    (directory / SIGNATURE).unlink()


def _write(data: bytes) -> Callable[[Path], object]:
    return lambda directory: (directory / SIGNATURE).write_bytes(data)


def _by_other(directory: Path) -> None:
    manifest = (directory / "manifest.json").read_bytes()
    (directory / SIGNATURE).write_bytes(OTHER.sign(manifest))


def _change_manifest(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        path = directory / "manifest.json"
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return change


def _flip(directory: Path) -> None:
    data = bytearray((directory / SIGNATURE).read_bytes())
    data[7] ^= 1
    (directory / SIGNATURE).write_bytes(data)


HOSTILE: tuple[tuple[str, Callable[[Path], object], type[ArtefactError]], ...] = (
    ("none", _unsign, SignatureRefusedError),
    ("empty", _write(b""), SignatureRefusedError),
    ("too short", _write(bytes(63)), SignatureRefusedError),
    ("nothing but zeros", _write(bytes(64)), SignatureRefusedError),
    ("too long", _write(bytes(65)), TooLargeError),
    ("pickle", _write(b"cos\nsystem\n(S'true'\ntR."), SignatureRefusedError),
    ("a bit flipped", _flip, SignatureRefusedError),
    ("another's", _by_other, SignatureRefusedError),
    ("of a manifest with a blank more", _change_manifest(b"}\n", b"}\n\n"), SignatureRefusedError),
    (
        "of a manifest of a newer format",
        _change_manifest(f'"format": {FORMAT},'.encode(), f'"format": {FORMAT + 1},'.encode()),
        SignatureRefusedError,
    ),
    ("of a manifest since broken", _change_manifest(b"{", b"["), SignatureRefusedError),
)


@pytest.mark.parametrize(
    ("spoil", "refusal"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_bundle_not_signed_by_the_key_is_refused_before_any_other_file_is_read(
    spoil: Callable[[Path], object], refusal: type[ArtefactError], signed: Path
) -> None:
    (signed / "schema.json").write_bytes(b"changed since")  # whoever reads it, refuses it
    with pytest.raises(DigestMismatchError):
        load_bundle(signed, KEY)
    spoil(signed)
    with pytest.raises(refusal) as caught:
        load_bundle(signed, KEY)
    assert type(caught.value) is refusal
    assert caught.value.exit_code == 5
    assert [result.holds for result in verify_artefact(signed, KEY)] == [True, False]


def _reseal(directory: Path, name: str, data: bytes) -> Path:
    """Replace a file, its digest in the manifest and the bundle's name; return its directory."""
    (directory / name).write_bytes(data)
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["files"][name] = {"bytes": len(data), "sha256": sha256_hex(data)}
    (directory / "manifest.json").write_bytes(canonical_json(manifest))
    return name_after_manifest(directory)


def _with_half_a_model(directory: Path) -> Path:
    data = (directory / "sell_through.0.txt").read_bytes()
    return _reseal(directory, "sell_through.0.txt", data[: len(data) // 2])


def _with_other_answers(directory: Path) -> Path:
    text = (directory / "sell_through.0.txt").read_text()
    other = replace_leaves(Booster(text), "0.25").text
    return _reseal(directory, "sell_through.0.txt", other.encode())


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        pytest.param(
            lambda directory: (directory / "pooling.json").write_bytes(b"{}"),
            DigestMismatchError,
            id="other bytes",
        ),
        pytest.param(_with_half_a_model, CanaryError, id="half a model"),
        pytest.param(_with_other_answers, CanaryError, id="other answers"),
        pytest.param(
            lambda directory: _reseal(directory, "calibration.json", b"[]"),
            CanaryError,
            id="a curve that is none",
        ),
        pytest.param(
            lambda directory: (directory / "model.pkl").write_bytes(b""),
            UnexpectedFileError,
            id="a file more",
        ),
    ],
)
def test_bundle_that_isnt_sound_is_not_signed(
    spoil: Callable[[Path], object], refusal: type[ArtefactError], signed: Path
) -> None:
    before = (signed / SIGNATURE).read_bytes()
    renamed = spoil(signed)
    spoilt = renamed if isinstance(renamed, Path) else signed
    with pytest.raises(refusal):
        sign_bundle(spoilt, OTHER)
    assert (spoilt / SIGNATURE).read_bytes() == before


@pytest.mark.parametrize(
    ("name", "failing"),
    [("", None), ("model.pkl", "files"), ("sell_through.0.txt", "digests")],
)
def test_verifying_makes_the_checks_in_order_up_to_the_first_that_fails(
    name: str, failing: str | None, signed: Path
) -> None:
    if name:
        (signed / name).write_bytes(b"changed")
    checks = verify_artefact(signed, KEY)
    made = CHECKS if failing is None else CHECKS[: CHECKS.index(failing) + 1]
    assert [result.check for result in checks] == list(made)
    assert [result.holds for result in checks] == [check != failing for check in made]


def test_verifying_without_a_key_says_that_the_signature_isnt_checked(signed: Path) -> None:
    message = verify_artefact(signed, None)[1].message
    assert message == "not checked, because no public key was given; the bundle has a manifest.sig"
    _unsign(signed)
    assert verify_artefact(signed, None)[1].message.endswith("the bundle has no manifest.sig")


def test_served_are_only_bundles_and_snapshots_of_the_key(
    run_directory: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(run_directory, run)
    private, public = make_keys(tmp_path / "keys")
    load = partial(load_artefacts, bundles=run / "bundles", snapshots=run / "snapshots")
    with pytest.raises(SignatureRefusedError, match=fingerprint(read_public_key(public))):
        load(public_key=public)
    sign_bundle(resolve(run / "bundles"), read_private_key(private))
    with pytest.raises(SignatureRefusedError, match="The snapshot is not signed"):
        load(public_key=public)
    sign_snapshot(resolve(run / "snapshots"), read_private_key(private))
    served = load(public_key=public)
    served.snapshot.close()
    with pytest.raises(KeyRefusedError, match="it is missing"):
        load(public_key=tmp_path / "gone.pub")


def test_signature_that_is_a_directory_is_refused(signed: Path) -> None:
    _unsign(signed)
    (signed / SIGNATURE).mkdir()
    with pytest.raises(UnexpectedFileError):
        load_bundle(signed, KEY)
