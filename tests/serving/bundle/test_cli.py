from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

import xuanpin
from features.online.files import verify_snapshot
from features.runtime.errors import ArtefactError
from features.runtime.pointer import resolve
from features.runtime.signature import make_keys, read_public_key
from serving.api.settings import ServingSettings, to_environment
from serving.bundle.bundle import write_bundle
from serving.bundle.checks import CHECKS
from serving.bundle.describe import MAX_METRICS
from serving.bundle.manifest import FORMAT
from serving.prediction.seasonality import Uplift
from tests.worlds.serving import bundle_contents, name_after_manifest


def invoke(*arguments: object) -> tuple[int, str]:
    """Run `xuanpin bundle` in this process; don't catch its errors."""
    runner = CliRunner()
    result = runner.invoke(xuanpin.app, ["bundle", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def directory(tmp_path: Path, run_directory: Path) -> Path:
    source = resolve(run_directory / "bundles")
    return Path(shutil.copytree(source, tmp_path / source.name))


def test_bundle_is_signed_and_verified_with_a_pair_of_keys(directory: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert invoke("keygen", "--out", keys)[0] == 0
    code, text = invoke("sign", directory, "--key", keys / "xuanpin.key")
    assert (code, text.startswith(f"Signed bundle {directory.name} with the key ")) == (0, True)
    code, text = invoke("verify", directory, "--public-key", keys / "xuanpin.pub")
    lines = text.splitlines()
    assert code == 0
    assert [line.split()[:2] for line in lines] == [["holds", f"{check}:"] for check in CHECKS]
    assert "is signed with the key" in lines[1]


def test_bundle_that_fails_a_check_ends_with_five(directory: Path) -> None:
    (directory / "pooling.json").write_bytes(b"{}")
    code, text = invoke("verify", directory)
    assert code == 5
    assert text.splitlines()[-1].startswith("FAILS  digests: The file pooling.json has changed")
    code, text = invoke("verify", directory, "--json")
    facts = json.loads(text)
    assert (code, facts["is_sound"]) == (5, False)
    assert [list(check) for check in facts["checks"]] == [["check", "holds", "message"]] * 3
    assert [check["holds"] for check in facts["checks"]] == [True, True, False]


def test_bundle_is_not_signed_with_a_key_that_others_may_read(
    directory: Path, tmp_path: Path
) -> None:
    invoke("keygen", "--out", tmp_path)
    (tmp_path / "xuanpin.key").chmod(0o644)
    with pytest.raises(ArtefactError, match="chmod 600") as caught:
        invoke("sign", directory, "--key", tmp_path / "xuanpin.key")
    assert caught.value.exit_code == 5
    assert not (directory / "manifest.sig").exists()


def test_bundle_inspected_says_what_it_is(directory: Path) -> None:
    code, text = invoke("inspect", directory)
    assert code == 0
    assert f"Bundle     {directory.name}, format {FORMAT}" in text
    assert "Signature  none" in text
    assert "up to 2026-03-01" in text
    assert "Learned    from outcomes of 2023-05-22 to 2024-10-02" in text
    assert "Calendar" not in text
    assert "Imputed    stock" in text
    assert "sell_through: 2 boosters, intervals in 10 cells" in text
    for path in directory.iterdir():
        assert path.name == "manifest.json" or f"  {path.name}\n" in text


def test_bundle_inspected_tells_its_calendar(tmp_path: Path) -> None:
    uplift = Uplift(
        name="fair\x1b[2J", first="03-01", last="03-14", uplift=0.25, markets=("DE", "FR")
    )
    contents = bundle_contents()
    seasons = msgspec.structs.replace(contents.seasons, uplifts=(uplift,))
    code, text = invoke(
        "inspect", tmp_path / write_bundle(replace(contents, seasons=seasons), tmp_path)
    )
    assert code == 0
    assert "Calendar   03-01 to 03-14 +25% (fair\\x1b[2J) in DE, FR\n" in text


def test_bundle_inspected_as_json_holds_its_facts(directory: Path) -> None:
    code, text = invoke("inspect", directory, "--json")
    facts = json.loads(text)
    assert code == 0
    assert facts["bundle_id"] == directory.name
    assert facts["seasonal_uplift"] == []
    assert facts["boosters"] == {"sell_through": 2, "return_risk": 2}
    assert facts["horizons"] == bundle_contents().horizons.model_dump()
    assert facts["cells"]["return_risk"]["all"] == 7_500
    assert len(facts["metrics"]) <= MAX_METRICS


def test_bundle_inspected_shows_nothing_a_terminal_would_obey(directory: Path) -> None:
    path = directory / "manifest.json"
    hostile = path.read_text().replace('"git_commit": "unknown"', '"git_commit": "\\u001b[2Jx"')
    path.write_text(hostile)
    code, text = invoke("inspect", name_after_manifest(directory))
    assert code == 0
    assert "\x1b" not in text
    assert "commit \\x1b[2Jx" in text


def test_snapshot_is_signed_verified_and_inspected_by_the_same_commands(
    run_directory: Path, tmp_path: Path
) -> None:
    source = resolve(run_directory / "snapshots")
    snapshot = Path(shutil.copytree(source, tmp_path / source.name))
    private, public = make_keys(tmp_path / "keys")
    code, text = invoke("sign", snapshot, "--key", private)
    assert code == 0
    assert text.startswith(f"Signed snapshot {source.name} with the key ")
    verify_snapshot(snapshot, read_public_key(public))
    code, text = invoke("verify", snapshot, "--public-key", public)
    lines = text.splitlines()
    assert code == 0
    assert [line.split()[:2] for line in lines] == [["holds", f"{check}:"] for check in CHECKS[:3]]
    assert "snapshot.json is signed with the key" in lines[1]
    code, text = invoke("inspect", snapshot)
    assert code == 0
    assert f"Snapshot   {source.name}, format " in text
    assert "Signature  present, not checked" in text
    facts = json.loads(invoke("inspect", snapshot, "--json")[1])
    assert (facts["snapshot_id"], facts["has_signature"]) == (source.name, True)
    (snapshot / "snapshot.sig").write_bytes(bytes(64))
    code, text = invoke("verify", snapshot, "--public-key", public)
    assert (code, text.splitlines()[-1][:17]) == (5, "FAILS  signature:")
    (snapshot / "data.mdb").write_bytes(b"")
    code, text = invoke("verify", snapshot)
    assert (code, text.splitlines()[-1][:15]) == (5, "FAILS  digests:")


def test_bundle_that_isnt_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"is not a bundle: it has no manifest\.json"):
        invoke("inspect", tmp_path)


@pytest.mark.parametrize("command", ["keygen", "sign", "verify", "inspect"])
def test_bundle_command_help_shows_an_example_and_exit_codes(command: str) -> None:
    code, text = invoke(command, "--help")
    assert code == 0
    assert f"Example: xuanpin bundle {command}" in text
    assert "Exit codes: 0 done" in text


def test_settings_pass_a_public_key_on_as_an_absolute_path() -> None:
    name = "XUANPIN_SERVING__PUBLIC_KEY"
    assert name not in to_environment(ServingSettings())
    path = to_environment(ServingSettings(public_key=Path("keys/xuanpin.pub")))[name]
    assert Path(path).is_absolute()
