"""H49 and H50: forged snapshots, and a pointer that was replaced, in a run directory."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.dataset.days import to_datetime
from features.online.contents import SnapshotContents
from features.online.files import ABOUT, sign_snapshot
from features.online.lmdb_file import DATA
from features.online.store import store_snapshot
from features.runtime.pointer import CURRENT, PointerError, publish, resolve
from features.runtime.signature import SignatureRefusedError, make_keys, read_private_key
from serving.bundle.checks import sign_bundle
from serving.bundle.manifest import SIGNATURE
from serving.errors import MarketsMismatchError, TooFarApartError
from serving.scoring.candidates import Candidate
from serving.scoring.loading import LoadedArtefacts, load_artefacts
from serving.scoring.score import score
from tests.worlds.serving import (
    MARKETS,
    bundle_contents,
    snapshot_contents,
)


def forge_snapshot(run: Path, **facts: object) -> str:
    """Store and publish a snapshot of other facts, with all hashes and its name made anew."""
    contents = snapshot_contents()
    about = contents.about.model_copy(update=facts)
    name = store_snapshot(SnapshotContents(**{**vars(contents), "about": about}), run / "snapshots")
    publish(run / "snapshots", name)
    return name


def load(run: Path, **settings: Any) -> LoadedArtefacts:  # noqa: ANN401 - any setting of the service
    return load_artefacts(bundles=run / "bundles", snapshots=run / "snapshots", **settings)


def test_snapshot_that_was_forged_is_refused_where_a_key_is_configured(
    run: Path, tmp_path: Path
) -> None:
    """H49: the forger has no key, and a signature of other facts doesn't hold for his."""
    private, public = make_keys(tmp_path)
    key = read_private_key(private)
    sign_bundle(resolve(run / "bundles"), key)
    sound = resolve(run / "snapshots")
    sign_snapshot(sound, key)
    load(run, public_key=public).snapshot.close()
    forged = run / "snapshots" / forge_snapshot(run, dataset_digest="f" * 64)
    with pytest.raises(SignatureRefusedError, match=r"The snapshot .* it has no snapshot\.sig"):
        load(run, public_key=public)
    shutil.copy(sound / "snapshot.sig", forged)
    with pytest.raises(SignatureRefusedError, match=r"snapshot\.sig is of another key"):
        load(run, public_key=public)
    shutil.copy(resolve(run / "bundles") / SIGNATURE, forged / "snapshot.sig")
    with pytest.raises(SignatureRefusedError, match=r"snapshot\.sig is of another key"):
        load(run, public_key=public)


def _swap_when_hashing(forged: Path, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = hashlib.file_digest

    def swap(*arguments: Any) -> Any:  # noqa: ANN401 - as the library's function
        for name in (ABOUT, DATA):
            if (forged / name).exists():
                (forged / name).replace(sound / name)
        return compute(*arguments)

    monkeypatch.setattr(hashlib, "file_digest", swap)


def test_snapshot_that_is_swapped_while_it_is_verified_is_not_served(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H49: the bytes that were signed and hashed are the ones that answer."""
    private, public = make_keys(tmp_path)
    sign_bundle(resolve(run / "bundles"), read_private_key(private))
    sound = resolve(run / "snapshots")
    sign_snapshot(sound, read_private_key(private))
    forged = run / "snapshots" / forge_snapshot(run, dataset_digest="f" * 64)
    publish(run / "snapshots", sound.name)
    _swap_when_hashing(forged, sound, monkeypatch)
    served = load(run, public_key=public)
    assert served.snapshot.about.dataset_digest == snapshot_contents().about.dataset_digest
    served.snapshot.close()
    with pytest.raises(SignatureRefusedError, match=r"snapshot\.sig is of another key"):
        load(run, public_key=public)


def test_snapshot_that_is_swapped_while_it_is_signed_is_left_without_a_signature(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, _ = make_keys(tmp_path)
    sound = resolve(run / "snapshots")
    forged = run / "snapshots" / forge_snapshot(run, dataset_digest="f" * 64)
    _swap_when_hashing(forged, sound, monkeypatch)
    with pytest.raises(SignatureRefusedError, match="another key or another snapshot"):
        sign_snapshot(sound, read_private_key(private))
    assert not (sound / "snapshot.sig").exists()


def test_snapshot_of_other_markets_is_refused(run: Path) -> None:
    forge_snapshot(run, markets={"BR": "BRL"})
    with pytest.raises(MarketsMismatchError, match="the snapshot has only BR"):
        load(run)


DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("moved", "flag"),
    [(-800, "old_snapshot"), (-91, "old_snapshot"), (-90, None), (90, None), (91, "old_model")],
)
def test_snapshot_years_from_the_bundle_is_flagged_or_refused_by_setting(
    moved: int, flag: str | None, run: Path
) -> None:
    cut_off = to_datetime(bundle_contents().cut_off_day)
    forge_snapshot(run, as_of=cut_off + moved * DAY)
    served = load(run, max_snapshot_age_days=abs(moved))
    market, currency = next(iter(MARKETS.items()))
    candidate = Candidate(
        product_id="unknown", market=market, list_price_minor=1, currency=currency, units_offered=1
    )
    (scored,) = score(served.bundle, served.snapshot, [candidate], coverage=0.8).candidates
    assert {"old_snapshot", "old_model"} & {*scored.flags} == ({flag} if flag else set())
    served.snapshot.close()
    with pytest.raises(TooFarApartError, match=f"{abs(moved)} days"):
        load(run, max_snapshot_age_days=abs(moved) - 1)


def _replace_pointer(kind: str) -> Callable[[Path], object]:
    def replace_pointer(path: Path) -> None:
        named = path.read_bytes()
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        elif kind == "link":
            (path.parent.parent / "outside").write_bytes(named)
            path.symlink_to("../outside")
        elif kind == "dangling link":
            path.symlink_to("nowhere")
        else:
            path.write_bytes(b"\0\xff" * 50)
        if kind == "huge":
            os.truncate(path, 1 << 30)

    return replace_pointer


@pytest.mark.parametrize("which", ["bundles", "snapshots"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("pipe", "it is not a plain file"),
        ("directory", "it is not a plain file"),
        ("link", "it is a symbolic link"),
        ("dangling link", "it is a symbolic link"),
        ("huge", "it has 1,073,741,824 bytes"),
        ("garbage", "which isn't a plain name"),
    ],
)
def test_pointer_that_was_replaced_is_refused_without_waiting(
    which: str, kind: str, reason: str, run: Path
) -> None:
    """H50: a pipe would make the start hang, a link lead elsewhere."""
    began = time.monotonic()
    _replace_pointer(kind)(run / which / CURRENT)
    with pytest.raises(PointerError) as caught:
        resolve(run / which)
    assert reason in caught.value.problem
    assert time.monotonic() - began < 1
