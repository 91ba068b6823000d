"""Ways to tamper with a bundle directory: by chance, or with all its hashes made anew."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from features.catalogue.catalogue import CATALOGUE
from serving.bundle.manifest import canonical_json, sha256_hex
from serving.bundle.verified_files import MAX_BYTES


def truncate(directory: Path) -> None:
    path = directory / "sell_through.0.txt"
    path.write_bytes(path.read_bytes()[:5_000])


def flip_a_bit(directory: Path) -> None:
    path = directory / "return_risk.1.txt"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit_a_leaf(directory: Path) -> None:
    path = directory / "sell_through.0.txt"
    path.write_text(with_other_leaf(path.read_text()))


def with_other_leaf(text: str) -> str:
    """Change the first digits of the first tree's leaves and keep the text's length."""
    leaves = next(line for line in text.splitlines() if line.startswith("leaf_value="))
    return text.replace(leaves, re.sub(r"\.\d\d", ".77", leaves), 1)


def reseal(directory: Path, name: str, data: bytes) -> None:
    """Replace a file and its digest in the manifest; only a signature can prevent this."""
    (directory / name).write_bytes(data)
    manifest = msgspec.json.decode((directory / "manifest.json").read_bytes())
    manifest["files"][name] = {"bytes": len(data), "sha256": sha256_hex(data)}
    if name == "schema.json":
        manifest["schema_fingerprint"] = sha256_hex(data)
    (directory / "manifest.json").write_bytes(canonical_json(manifest))


def edit_json(directory: Path, name: str, **changes: object) -> None:
    content = msgspec.json.decode((directory / name).read_bytes())
    content.update(changes)
    if name == "manifest.json":
        (directory / name).write_bytes(canonical_json(content))
    else:
        reseal(directory, name, canonical_json(content))


def swap_inputs(directory: Path) -> None:
    inputs = CATALOGUE.model_inputs
    edit_json(directory, "schema.json", model_inputs=[inputs[1], inputs[0], *inputs[2:]])


def link_file(directory: Path) -> None:
    (directory / "pooling.json").unlink()
    (directory / "pooling.json").symlink_to("calibration.json")


def plant(name: str) -> Callable[[Path], None]:
    def plant(directory: Path) -> None:
        (directory / name).write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    return plant


def grow(directory: Path) -> None:
    os.truncate(directory / "MODEL_CARD.md", MAX_BYTES[".md"] + 1)


def grow_all(directory: Path) -> None:
    for number in range(2, 6):
        with (directory / f"sell_through.{number}.txt").open("wb") as file:
            file.truncate(MAX_BYTES[".txt"])


def link_signature(directory: Path) -> None:
    (directory / "manifest.sig").symlink_to("manifest.json")


def directory_for(name: str) -> Callable[[Path], None]:
    def replace_by_directory(directory: Path) -> None:
        (directory / name).unlink()
        (directory / name).mkdir()

    return replace_by_directory


def list_file(name: str) -> Callable[[Path], None]:
    def add_to_list(directory: Path) -> None:
        files = msgspec.json.decode((directory / "manifest.json").read_bytes())["files"]
        edit_json(directory, "manifest.json", files={**files, name: files["schema.json"]})

    return add_to_list


NESTED = b'{"format": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def nest(name: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_bytes(NESTED)


def reseal_nested(directory: Path) -> None:
    reseal(directory, "schema.json", NESTED.replace(b"format", b"horizons"))


def resealed_text(edit: Callable[[str], str]) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        text = (directory / "sell_through.0.txt").read_text()
        reseal(directory, "sell_through.0.txt", edit(text).encode())

    return damage


def resealed(name: str, **changes: object) -> Callable[[Path], None]:
    return lambda directory: edit_json(directory, name, **changes)


def add_listed(directory: Path) -> None:
    reseal(directory, "more.json", b"{}")


def remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def empty(directory: Path) -> None:
    shutil.rmtree(directory)
    directory.mkdir()


def resealed_data(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda directory: reseal(directory, name, data)


def unlist(name: str) -> Callable[[Path], None]:
    def remove(directory: Path) -> None:
        (directory / name).unlink()
        files = msgspec.json.decode((directory / "manifest.json").read_bytes())["files"]
        del files[name]
        edit_json(directory, "manifest.json", files=files)

    return remove


def empty_canary(directory: Path) -> None:
    """Leave every column and every answer, each without rows: nothing would be compared."""
    canary = msgspec.json.decode((directory / "canary.json").read_bytes())
    none: list[float] = []
    answers = {t: dict.fromkeys(parts, none) for t, parts in canary["expected"].items()}
    columns = dict.fromkeys(canary["columns"], none)
    edit_json(directory, "canary.json", columns=columns, expected=answers, markets=none)
