"""H25, H40, H47, H49: artefacts that are broken, changed or planted are refused; nothing crashes.

The service loads artefacts only at its start. In each case a child process loads the run directory
as the service does; it must end by itself and name the reason. The last tests check the answers of
a service that was started on a damaged artefact.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import StarletteDeprecationWarning

from features.online.contents import FORMAT
from features.runtime.pointer import publish, resolve
from features.runtime.signature import make_keys
from serving.api.app import build_app
from serving.api.published import PublishedArtefacts
from serving.api.settings import ServingSettings
from serving.bundle.manifest import FORMAT as BUNDLE_FORMAT
from serving.bundle.manifest import SIGNATURE
from tests.worlds.damage.run_directory import (
    BOOSTER,
    Damage,
    cut,
    edit,
    edit_a_leaf,
    flip,
    grow,
    link,
    list_outside,
    move_behind_a_link,
    of_another_catalogue,
    plant,
    plant_zip_slip,
    remove,
    replace_by_pipe,
    vouch_for,
)
from tests.worlds.processes import run_program
from tests.worlds.serving import (
    name_after_manifest,
)

with warnings.catch_warnings():
    # Starlette's client asks for httpx2, which BentoML and MLflow don't know yet.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

LOADING = """
import sys
from pathlib import Path
from features.runtime.errors import ArtefactError
from serving.errors import MarketsMismatchError, TooFarApartError
from serving.scoring.candidates import Candidate
from serving.scoring.loading import load_artefacts
from serving.scoring.score import score
bundles, snapshots, *key = map(Path, sys.argv[1:])
try:
    load_artefacts(bundles=bundles, snapshots=snapshots, public_key=key[0] if key else None)
except ArtefactError as error:
    print(type(error).__name__, error)
    sys.exit(error.exit_code)
"""


def load_in_child(run: Path, *key: Path) -> tuple[int | None, str]:
    """Load a run directory in a process of its own; return its exit code and what it says."""
    code, printed, told = run_program(LOADING, run / "bundles", run / "snapshots", *key)
    return code, printed + told


BUNDLES: tuple[tuple[str, Damage, str, str], ...] = (
    ("H25 truncated", cut(BOOSTER, 0.5), "DigestMismatchError", BOOSTER),
    ("H25 a bit flipped", flip("return_risk.1.txt", 0.5), "DigestMismatchError", "return_risk.1"),
    ("H25 a leaf edited", edit_a_leaf, "DigestMismatchError", BOOSTER),
    ("H25 wrong schema", edit("schema.json", targets=[]), "DigestMismatchError", "schema.json"),
    (
        "H25 wrong schema, vouched for",
        vouch_for("schema.json", edit("schema.json", targets=["return_risk"])),
        "BrokenFileError",
        "schema.json",
    ),
    (
        "H25 truncated, vouched for: kills the process that loads it",
        vouch_for(BOOSTER, cut(BOOSTER, 0.5)),
        "CanaryError",
        "a child process",
    ),
    (
        "H25 a leaf edited, vouched for",
        vouch_for(BOOSTER, edit_a_leaf),
        "CanaryError",
        "off by",
    ),
    *(
        (
            f"H25 {age} format",
            edit("manifest.json", format=BUNDLE_FORMAT + step),
            f"{age.title()}FormatError",
            f"format {BUNDLE_FORMAT + step}",
        )
        for age, step in (("newer", 1), ("older", -1))
    ),
    (
        "H25 other catalogue",
        edit("manifest.json", catalogue_fingerprint="f" * 64),
        "CatalogueMismatchError",
        "ffff",
    ),
    ("H25 a file missing", remove("conformal.json"), "MissingFileError", "conformal.json"),
    ("H40 pickle", plant("model.pkl"), "UnexpectedFileError", "model.pkl"),
    (
        "H40 pickle in a model's place",
        vouch_for(BOOSTER, plant(BOOSTER)),
        "CanaryError",
        "a child process",
    ),
    ("H40 symbolic link", link, "UnexpectedFileError", "pooling.json"),
    ("H40 ..", list_outside("../outside.json"), "UnexpectedFileError", "../outside.json"),
    ("H40 absolute", list_outside("/etc/hostname"), "UnexpectedFileError", "/etc/hostname"),
    ("H40 zip slip", plant_zip_slip, "UnexpectedFileError", "model.zip"),
)

DATA = "data.mdb"
ABOUT = "snapshot.json"
REFUSED = "SnapshotRefusedError"
SNAPSHOTS: tuple[tuple[str, Damage, str, str], ...] = (
    ("H25 data truncated", cut(DATA, 0.5), REFUSED, "bytes"),
    ("H25 data empty", cut(DATA, 0), REFUSED, "0 bytes"),
    ("H25 a bit flipped in the first page", flip(DATA, 0.0001), REFUSED, "SHA-256"),
    ("H25 a bit flipped among rows", flip(DATA, 0.5), REFUSED, "SHA-256"),
    ("H25 a bit flipped at the end", flip(DATA, 0.9999), REFUSED, "SHA-256"),
    ("H25 data replaced by a pickle", plant(DATA), REFUSED, DATA),
    ("H25 other catalogue", of_another_catalogue, "CatalogueMismatchError", "ffff"),
    ("H25 facts changed", edit(ABOUT, catalogue_fingerprint="f" * 64), REFUSED, "has the id"),
    ("H25 older format", edit(ABOUT, format=FORMAT - 1), REFUSED, f"format {FORMAT - 1}"),
    ("H25 newer format", edit(ABOUT, format=FORMAT + 1), REFUSED, f"format {FORMAT + 1}"),
    (
        "H25 newer format with a novelty",
        edit(ABOUT, format=FORMAT + 1, novelty=1),
        REFUSED,
        f"format {FORMAT + 1}",
    ),
    ("H25 data missing", remove(DATA), REFUSED, "is missing"),
    (
        "H49 data behind a link",
        move_behind_a_link(DATA),
        REFUSED,
        "data.mdb: it is a symbolic link",
    ),
    ("H49 facts behind a link", move_behind_a_link(ABOUT), REFUSED, "is a symbolic link"),
    ("H49 facts a pipe", replace_by_pipe(ABOUT), REFUSED, "is not a plain file"),
    ("H49 data a pipe", replace_by_pipe(DATA), REFUSED, "is not a plain file"),
    ("H49 facts of a gigabyte", grow(ABOUT), REFUSED, "bytes, and at most 16,777,216 are read"),
    ("H25 facts missing", remove(ABOUT), REFUSED, "is missing"),
    ("H25 facts truncated", cut(ABOUT, 0.5), REFUSED, "JSON"),
)

CASES = [
    pytest.param(kind, damage, error, part, id=f"{kind}: {name}")
    for kind, cases in (("bundles", BUNDLES), ("snapshots", SNAPSHOTS))
    for name, damage, error, part in cases
]


@pytest.mark.parametrize(("kind", "damage", "error", "part"), CASES)
def test_artefact_that_is_not_sound_is_refused_with_the_reason(
    kind: str, damage: Damage, error: str, part: str, run: Path
) -> None:
    directory = resolve(run / kind)
    damage(directory)
    if kind == "bundles":  # otherwise its name alone would give the forgery away
        publish(run / kind, name_after_manifest(directory).name)
    code, output = load_in_child(run)
    assert code == 5, output
    assert output.startswith(f"{error} ")
    assert part in output
    assert not list(run.rglob("planted*"))


def test_bundle_whose_manifest_changed_by_a_bit_is_refused_without_a_key(run: Path) -> None:
    """H47: the directory's name, which CURRENT holds, is a digest of the manifest."""
    flip("manifest.json", 0.5)(resolve(run / "bundles"))
    code, output = load_in_child(run)
    assert code == 5, output
    assert output.startswith(("WrongIdError ", "BrokenFileError "))


def test_run_directory_that_is_sound_loads(run: Path) -> None:
    assert load_in_child(run) == (0, "")


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda _: None, "it has no manifest.sig"),
        (plant(SIGNATURE, b"A" * 64), "manifest.sig is of another key"),
    ],
    ids=["H25 not signed", "H25 wrong signature"],
)
def test_bundle_without_the_signature_of_the_key_is_refused(
    damage: Damage, part: str, run: Path, tmp_path: Path
) -> None:
    _, public = make_keys(tmp_path)
    damage(resolve(run / "bundles"))
    code, output = load_in_child(run, public)
    assert code == 5, output
    assert output.startswith("SignatureRefusedError The bundle is not signed with the key")
    assert part in output


@pytest.mark.parametrize(
    ("kind", "damage", "part"),
    [("bundles", edit_a_leaf, BOOSTER), ("snapshots", cut(DATA, 0.5), DATA)],
)
def test_service_started_on_a_damaged_artefact_is_alive_and_says_why(
    kind: str, damage: Damage, part: str, run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(resolve(run / kind))
    settings = ServingSettings(run=run)
    caplog.set_level(logging.INFO)
    app = build_app(settings, PublishedArtefacts(settings, state=None))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/livez").status_code == 200
        for answer in (client.get("/readyz"), client.post("/v1/score", json={})):
            body: dict[str, Any] = answer.json()
            assert (answer.status_code, body["error"]["code"]) == (503, "no_model")
            assert part not in answer.text
    assert part in caplog.text
