"""What a worker loads first, what it changes to, and what it doesn't change to."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from features.runtime.pointer import CURRENT, publish, resolve
from serving.api.published import PublishedArtefacts
from serving.api.served import ServedArtefacts
from serving.api.settings import ServingSettings
from serving.bundle.bundle import write_bundle
from tests.worlds.damage.tampered_bundle import edit_a_leaf, edit_json, flip_a_bit, truncate
from tests.worlds.serving import bundle_contents, name_after_manifest

LOSSES = map(float, count(1))


@pytest.fixture
def settings(run_directory: Path, tmp_path: Path) -> ServingSettings:
    return _copy_run(run_directory, tmp_path)


@pytest.fixture(scope="module")
def service(
    run_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ServingSettings, ServedArtefacts]:
    """A service that serves; tests put back what they break."""
    settings = _copy_run(run_directory, tmp_path_factory.mktemp("service"))
    return settings, _start(settings)


def _copy_run(run_directory: Path, directory: Path) -> ServingSettings:
    shutil.copytree(run_directory, directory / "run")
    (directory / "state").mkdir()
    return ServingSettings(run=directory / "run")


def _start(settings: ServingSettings) -> ServedArtefacts:
    """Return what a new worker of the same service serves."""
    served = ServedArtefacts(PublishedArtefacts(settings, settings.run.parent / "state"))
    served.refresh()
    return served


def _serving(served: ServedArtefacts) -> str | None:
    return None if served.current is None else served.current.bundle.bundle_id


def _is_refused(served: ServedArtefacts) -> bool:
    return served.refused is not None


def _write_other(settings: ServingSettings) -> str:
    """Write a bundle that no test has tampered with yet."""
    contents = replace(bundle_contents(), metrics={"sell_through.log_loss": next(LOSSES)})
    return write_bundle(contents, settings.bundles)


def test_published_bundle_is_served_once_two_looks_have_seen_it(settings: ServingSettings) -> None:
    served = _start(settings)
    first = served.current
    served.refresh()
    publish(settings.bundles, _write_other(settings))
    served.refresh()
    assert served.current is first
    served.refresh()
    assert first is not None
    assert served.current is not None
    assert _serving(served) == resolve(settings.bundles).name != first.bundle.bundle_id
    assert served.current.snapshot is first.snapshot
    assert (served.reloads, served.refusals, served.refused) == (2, 0, None)


def _tamper(change: Callable[[Path], None]) -> Callable[[ServingSettings], None]:
    def publish_tampered(settings: ServingSettings) -> None:
        directory = settings.bundles / _write_other(settings)
        change(directory)
        publish(settings.bundles, name_after_manifest(directory).name)

    return publish_tampered


def _replace_pointer(content: bytes) -> Callable[[ServingSettings], None]:
    def replace_pointer(settings: ServingSettings) -> None:
        (settings.bundles / CURRENT).write_bytes(content)

    return replace_pointer


BROKEN: dict[str, Callable[[ServingSettings], None]] = {
    "truncated": _tamper(truncate),
    "a bit flipped": _tamper(flip_a_bit),
    "a leaf edited": _tamper(edit_a_leaf),
    "a newer format": _tamper(lambda directory: edit_json(directory, "manifest.json", format=99)),
    "another catalogue": _tamper(
        lambda directory: edit_json(directory, "manifest.json", catalogue_fingerprint="0" * 64)
    ),
    "a pointer to nothing": _replace_pointer(b"nowhere\n"),
    "a pointer of garbage": _replace_pointer(b"\xff\0../.."),
    "no pointer": lambda settings: (settings.bundles / CURRENT).unlink(),
    "no snapshot pointer": lambda settings: (settings.snapshots / CURRENT).unlink(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_served_is_said_once_and_the_earlier_pair_serves_on(
    name: str,
    service: tuple[ServingSettings, ServedArtefacts],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings, served = service
    first, refusals = served.current, served.refusals
    pointers = {
        root: (root / CURRENT).read_bytes() for root in (settings.bundles, settings.snapshots)
    }
    BROKEN[name](settings)
    for _ in range(4):
        served.refresh()
    assert served.current is first
    assert _is_refused(served)
    assert (served.reloads, served.refusals - refusals) == (1, 1)
    refused = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert [one.getMessage().partition(":")[0] for one in refused] == [
        "serving the earlier pair on"
    ]
    for root, content in pointers.items():
        (root / CURRENT).write_bytes(content)
    served.refresh()
    assert served.current is first
    assert not _is_refused(served)


@pytest.mark.parametrize("name", ["truncated", "a pointer to nothing", "no snapshot pointer"])
def test_new_worker_serves_what_the_others_do_when_the_published_pair_is_broken(
    name: str, settings: ServingSettings
) -> None:
    other = _start(settings)
    assert other.current is not None
    other.current.snapshot.close()  # another process has opened it, not this one
    BROKEN[name](settings)
    new = _start(settings)
    assert _serving(new) == _serving(other)
    for _ in range(2):
        new.refresh()
    assert _serving(new) == _serving(other)
    assert _is_refused(new)


def test_worker_without_a_bundle_serves_the_first_one_published(settings: ServingSettings) -> None:
    current = resolve(settings.bundles).name
    (settings.bundles / CURRENT).unlink()
    served = _start(settings)
    served.refresh()
    assert served.current is None
    publish(settings.bundles, current)
    served.refresh()
    assert _serving(served) == current
