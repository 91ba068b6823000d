from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from features.runtime.atomic import write_private
from features.runtime.errors import StorageError
from features.runtime.signature import (
    KeyExistsError,
    KeyRefusedError,
    check_signature,
    make_keys,
    read_private_key,
    read_public_key,
)

PAIR = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = PAIR.public_key()
RSA = rsa.generate_private_key(65_537, 2_048)
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493

Point = tuple[int, int]


def test_keys_made_fit_each_other_and_the_private_one_is_private(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "keys")
    signature = read_private_key(private).sign(b"text")
    read_public_key(public).verify(signature, b"text")
    assert private.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyExistsError, match=r"xuanpin\.key exists already"):
        make_keys(tmp_path / "keys")


def test_private_file_takes_the_place_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"old")
    with pytest.raises(StorageError):
        write_private(tmp_path / "key", b"new")
    assert (tmp_path / "key").read_bytes() == b"old"


def _pem(key: object, encryption: object = None) -> bytes:
    pem: bytes = key.private_bytes(  # type: ignore[attr-defined]
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    )
    return pem


CURVE = ec.generate_private_key(ec.SECP256R1())
PUBLIC_FORM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("data", "mode", "reason"),
    [
        (_pem(PAIR), 0o640, "other users may read it"),
        (_pem(PAIR), 0o604, "other users may read it"),
        (_pem(PAIR, BestAvailableEncryption(b"secret")), 0o600, "it is encrypted"),
        (_pem(CURVE), 0o600, "it is a key of the kind EC, not of the kind Ed25519"),
        (_pem(RSA), 0o600, "it is a key of the kind RSA, not of the kind Ed25519"),
        (
            KEY.public_bytes(*PUBLIC_FORM),
            0o600,
            "it holds a public key, and",
        ),
        (b"", 0o600, "it isn't a PEM file"),
        (b"\x80\x04pickle", 0o600, "it isn't a PEM file"),
        (b"a" * 5_000, 0o600, "it has 5,000 bytes, and at most 4,096 are read"),
    ],
)
def test_private_key_that_isnt_one_is_refused(
    data: bytes, mode: int, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_bytes(data)
    path.chmod(mode)
    with pytest.raises(KeyRefusedError) as caught:
        read_private_key(path)
    assert reason in caught.value.problem
    assert "BEGIN" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_pem(PAIR), "it holds a private key, and"),
        (CURVE.public_key().public_bytes(*PUBLIC_FORM), "it is a key of the kind EC"),
        (b"ssh-ed25519 AAAA", "it isn't a PEM file"),
    ],
)
def test_public_key_that_isnt_one_is_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(KeyRefusedError, match=reason):
        read_public_key(tmp_path / "key")


def test_key_that_is_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    with pytest.raises(KeyRefusedError, match="not a plain file"):
        read_public_key(tmp_path / "key")


def test_key_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    for read in (read_public_key, read_private_key):
        with pytest.raises(KeyRefusedError, match="not a plain file"):
            read(tmp_path)


def test_key_that_is_mounted_as_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY.public_bytes(*PUBLIC_FORM))
    (tmp_path / "link").symlink_to("key")
    assert read_public_key(tmp_path / "link") == KEY


def _add(p: Point, q: Point) -> Point:
    """Add two points of the curve -x^2 + y^2 = 1 + D x^2 y^2 (RFC 8032, 5.1)."""
    product = D * p[0] * q[0] * p[1] * q[1]
    return (
        (p[0] * q[1] + q[0] * p[1]) * pow(1 + product, -1, P) % P,
        (p[1] * q[1] + p[0] * q[0]) * pow(1 - product, -1, P) % P,
    )


def _multiply(factor: int, point: Point) -> Point:
    total = 0, 1
    for bit in f"{factor:b}":
        total = _add(total, total)
        total = _add(total, point) if bit == "1" else total
    return total


def _find_x(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    roots = (x, x * pow(2, (P - 1) // 4, P) % P)
    return next((root for root in roots if root * root % P == square), None)


def _points_of_small_order() -> set[Point]:
    """Return the eight multiples of a point of order 8, which is L times a point of order 8 L."""
    for y in range(2, 100):
        x = _find_x(y)
        if x is not None and _multiply(4, torsion := _multiply(L, (x, y))) != (0, 1):
            return {_multiply(factor, torsion) for factor in range(8)}
    raise AssertionError


def _write_public(path: Path, raw: bytes) -> Path:
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    path.write_bytes(key.public_bytes(*PUBLIC_FORM))
    return path


SMALL = _points_of_small_order()


def test_points_of_small_order_are_eight() -> None:
    assert len(SMALL) == 8


@pytest.mark.parametrize("point", sorted(SMALL), ids=lambda point: f"{point[1] % 9973}")
@pytest.mark.parametrize("is_flipped", [False, True])
def test_public_key_of_small_order_is_refused(
    point: Point, *, is_flipped: bool, tmp_path: Path
) -> None:
    sign = (point[0] & 1) ^ is_flipped  # a flipped sign of x = 0 isn't canonical
    raw = (point[1] | sign << 255).to_bytes(32, "little")
    with pytest.raises(KeyRefusedError, match="small order"):
        read_public_key(_write_public(tmp_path / "key", raw))


@pytest.mark.parametrize("y", [P, P + 1, P + 18, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_public_key_whose_bytes_arent_canonical_is_refused(
    y: int, sign: int, tmp_path: Path
) -> None:
    raw = (y | sign << 255).to_bytes(32, "little")
    with pytest.raises(KeyRefusedError, match="small order"):
        read_public_key(_write_public(tmp_path / "key", raw))


def test_key_of_order_one_would_accept_any_text() -> None:
    weak = ed25519.Ed25519PublicKey.from_public_bytes((1).to_bytes(32, "little"))
    forged = (1).to_bytes(32, "little") + bytes(32)
    check_signature("bundle", "manifest.sig", signed=b"any text", signature=forged, key=weak)


@given(seed=st.binary(min_size=32, max_size=32))
def test_public_key_that_was_made_as_it_should_is_read(
    seed: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
    path = tmp_path_factory.mktemp("key") / "key"
    assert read_public_key(_write_public(path, key.public_bytes_raw())) == key
