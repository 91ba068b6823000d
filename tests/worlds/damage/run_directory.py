"""Ways to damage an artefact's directory, or to plant something in it."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from features.online.contents import SnapshotContents
from features.online.store import store_snapshot
from features.runtime.pointer import publish
from serving.bundle.manifest import canonical_json, sha256_hex
from tests.worlds.serving import (
    snapshot_contents,
)

BOOSTER = "sell_through.0.txt"
PICKLE = b"cos\nsystem\n(S'touch planted'\ntR."

Damage = Callable[[Path], object]


def cut(name: str, share: float) -> Damage:
    def damage(directory: Path) -> None:
        data = (directory / name).read_bytes()
        (directory / name).write_bytes(data[: int(len(data) * share)])

    return damage


def flip(name: str, share: float) -> Damage:
    def damage(directory: Path) -> None:
        data = bytearray((directory / name).read_bytes())
        data[int(len(data) * share)] ^= 1
        (directory / name).write_bytes(data)

    return damage


def replace(name: str, old: bytes, new: bytes) -> Damage:
    def damage(directory: Path) -> None:
        data = (directory / name).read_bytes()
        assert old in data
        (directory / name).write_bytes(data.replace(old, new, 1))

    return damage


def edit(name: str, **facts: object) -> Damage:
    def damage(directory: Path) -> None:
        content = json.loads((directory / name).read_bytes())
        (directory / name).write_bytes(canonical_json({**content, **facts}))

    return damage


def plant(name: str, data: bytes = PICKLE) -> Damage:
    return lambda directory: (directory / name).write_bytes(data)


def remove(name: str) -> Damage:
    return lambda directory: (directory / name).unlink()


def of_another_catalogue(directory: Path) -> None:
    """Publish a sound snapshot that was made with other features than the bundle."""
    contents = snapshot_contents()
    about = contents.about.model_copy(update={"catalogue_fingerprint": "f" * 64})
    root = directory.parent
    publish(root, store_snapshot(SnapshotContents(**{**vars(contents), "about": about}), root))


def edit_a_leaf(directory: Path) -> None:
    """Change a digit of each leaf of the first tree; LightGBM would load it all the same."""
    lines = (directory / BOOSTER).read_bytes().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if line.startswith(b"leaf_value="))
    lines[place] = re.sub(rb"(\.\d)\d", rb"\g<1>2", lines[place])
    (directory / BOOSTER).write_bytes(b"".join(lines))


def vouch_for(name: str, damage: Damage) -> Damage:
    """Damage a file and replace its digest in the manifest; only a signature can prevent this."""

    def damage_and_vouch(directory: Path) -> None:
        damage(directory)
        data = (directory / name).read_bytes()
        manifest = json.loads((directory / "manifest.json").read_bytes())
        manifest["files"][name] = {"bytes": len(data), "sha256": sha256_hex(data)}
        (directory / "manifest.json").write_bytes(canonical_json(manifest))

    return damage_and_vouch


def link(directory: Path) -> None:
    (directory / "pooling.json").rename(directory.parent / "elsewhere.json")
    (directory / "pooling.json").symlink_to("../elsewhere.json")


def list_outside(name: str) -> Damage:
    def damage(directory: Path) -> None:
        (directory.parent / "outside.json").write_bytes(b"{}")
        manifest = json.loads((directory / "manifest.json").read_bytes())
        manifest["files"][name] = {"bytes": 2, "sha256": sha256_hex(b"{}")}
        (directory / "manifest.json").write_bytes(canonical_json(manifest))

    return damage


def move_behind_a_link(name: str) -> Damage:
    def damage(directory: Path) -> None:
        target = directory.parent / f"elsewhere-{name}"
        (directory / name).rename(target)
        (directory / name).symlink_to(target)

    return damage


def replace_by_pipe(name: str) -> Damage:
    def damage(directory: Path) -> None:
        (directory / name).unlink()
        os.mkfifo(directory / name)

    return damage


def grow(name: str) -> Damage:
    return lambda directory: os.truncate(directory / name, 1 << 30)


def plant_zip_slip(directory: Path) -> None:
    with zipfile.ZipFile(directory / "model.zip", "w") as archive:
        archive.writestr("../../planted.json", "{}")
