"""What every test of serving starts from: one trained bundle, one snapshot, published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.online.snapshot import OnlineSnapshot
from features.runtime.pointer import publish, resolve
from serving.bundle.bundle import Bundle, load_bundle, write_bundle
from tests.worlds.serving import bundle_contents, contents_without_returns, write_snapshot_beside


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with a bundle and a snapshot; no test may change it."""
    run = tmp_path_factory.mktemp("run")
    publish(run / "bundles", write_bundle(bundle_contents(), run / "bundles"))
    write_snapshot_beside(run / "snapshots")
    return run


@pytest.fixture(scope="session")
def bundle(run_directory: Path) -> Bundle:
    return load_bundle(resolve(run_directory / "bundles"))


@pytest.fixture(scope="session")
def bundle_without_returns(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    bundles = tmp_path_factory.mktemp("without_returns")
    return load_bundle(bundles / write_bundle(contents_without_returns(), bundles))


@pytest.fixture(scope="session")
def snapshot(run_directory: Path) -> Iterator[OnlineSnapshot]:
    opened = OnlineSnapshot.open(resolve(run_directory / "snapshots"))
    yield opened
    opened.close()
