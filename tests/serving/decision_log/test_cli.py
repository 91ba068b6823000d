"""The commands `xuanpin log verify` and `xuanpin log replay`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.runtime.pointer import resolve
from serving.decision_log.chain_files import list_files
from serving.decision_log.cli import app
from serving.decision_log.errors import NotALogError
from serving.scoring.score import Scoring
from tests.worlds.logs.decisions import write_files


def invoke(*arguments: object) -> tuple[int, str]:
    """Run a command in this process; don't catch its errors."""
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def log(tmp_path: Path, scoring: Scoring) -> Path:
    write_files(tmp_path / "log", scoring, 2)
    return tmp_path / "log"


def test_verify_prints_where_each_chain_ends(log: Path) -> None:
    code, text = invoke("verify", log)
    assert code == 0
    head = json.loads((log / "worker-00" / "head.json").read_bytes())
    assert head["sha256"] in text
    assert "Each file continues the one before it." in text


def test_verify_of_a_log_with_a_fault_ends_with_one(log: Path) -> None:
    list_files(log / "worker-00")[0].path.unlink()
    code, text = invoke("verify", log)
    assert (code, text.count("file 1 is missing")) == (1, 1)
    code, text = invoke("verify", log, "--json")
    report = json.loads(text)
    assert (code, report["faults"]) == (1, 1)
    assert report["chains"][0]["faults"] == ["file 1 is missing"]


def test_replay_prints_writes_and_ends_as_what_it_found(log: Path, run: Path) -> None:
    bundle = resolve(run / "bundles")
    page = log.parent / "page.html"
    code, text = invoke("replay", log, "--bundle", bundle, "--out", page)
    assert code == 0
    assert "6 rows of the same bundle and snapshot: the same bits." in text
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_commands_refuse_what_is_no_log(tmp_path: Path, run: Path) -> None:
    for command in (["verify"], ["replay", "--bundle", resolve(run / "bundles")]):
        with pytest.raises(NotALogError) as caught:
            invoke(*command, tmp_path / "nothing")
        assert caught.value.exit_code == 3
