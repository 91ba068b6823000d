"""A run directory with a sound bundle and a sound snapshot, to be damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.runtime.pointer import publish
from serving.bundle.bundle import write_bundle
from tests.worlds.serving import (
    bundle_contents,
    write_snapshot_beside,
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("sound")
    publish(run / "bundles", write_bundle(bundle_contents(), run / "bundles"))
    write_snapshot_beside(run / "snapshots")
    return run


@pytest.fixture
def run(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "run")
    return tmp_path / "run"
