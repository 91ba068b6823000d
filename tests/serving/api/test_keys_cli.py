from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.runtime.errors import ArtefactError, SettingsError
from serving.access.errors import (
    BurstAloneError,
    InvalidNameError,
    NoKeyFileError,
    UnknownKeyError,
)
from serving.access.key_file import read_keys
from serving.access.keys import RateLimit
from serving.access.scopes import Scope
from serving.api.keys_cli import app
from tests.worlds.api.keys import add, add_expired, id_of


def invoke(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; don't catch its errors."""
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_add_prints_the_key_alone_and_says_on_the_side_what_it_is(path: Path) -> None:
    code, printed, told = invoke("add", "shop", "--keys", path)
    (key,) = read_keys(path)
    assert code == 0
    assert key.matches(printed.removesuffix("\n").encode())
    assert told == (
        f"This is the key {key.key_id} of shop; it can't be shown again. {path} keeps its hash.\n"
    )
    assert (key.scopes, key.expires, key.rate) == ((Scope.SCORE, Scope.EXPLAIN), None, None)


@pytest.mark.parametrize(
    ("options", "scopes", "days", "rate"),
    [
        (["--scope", "metrics", "--scope", "admin"], ("metrics", "admin"), None, None),
        (["--days", 90], ("score", "explain"), 90, None),
        (["--rate", 2.5], ("score", "explain"), None, RateLimit(per_second=2.5, burst=3)),
        (
            ["--rate", 50, "--burst", 200],
            ("score", "explain"),
            None,
            RateLimit(per_second=50, burst=200),
        ),
    ],
)
def test_add_keeps_what_it_was_told(
    path: Path,
    options: list[object],
    scopes: tuple[str, ...],
    days: int | None,
    rate: RateLimit | None,
) -> None:
    assert invoke("add", "shop", "--keys", path, *options)[0] == 0
    (key,) = read_keys(path)
    assert (key.scopes, key.rate) == (scopes, rate)
    assert (key.expires and (key.expires - key.created).days) == days


@pytest.mark.parametrize("name", ["", " ", "a ", "a\nb", "a\x1b[2J", "\u202eshop", "x" * 65, "a/b"])
def test_add_with_a_name_that_no_list_can_show_is_refused(path: Path, name: str) -> None:
    with pytest.raises(InvalidNameError):
        invoke("add", "--keys", path, "--", name)
    assert not path.exists()


@pytest.mark.parametrize(
    "options",
    [["--scope", "root"], ["--days", "0"], ["--rate", "0"], ["--rate", "nan"], ["--burst", "-1"]],
)
def test_add_out_of_range_is_wrong_usage(path: Path, options: list[str]) -> None:
    assert invoke("add", "shop", "--keys", path, *options)[0] == 2
    assert not path.exists()


def test_add_with_a_burst_alone_is_wrong_usage(path: Path) -> None:
    with pytest.raises(BurstAloneError):
        invoke("add", "shop", "--keys", path, "--burst", 5)


def test_list_shows_everything_but_secrets(path: Path) -> None:
    keys = [add(path, Scope.SCORE, days=30, rate=RateLimit(per_second=5, burst=9))]
    keys += [add(path, name="选品"), add_expired(path)]
    code, page, _ = invoke("list", "--keys", path)
    json_code, text, _ = invoke("list", "--keys", path, "--json")
    facts = json.loads(text)
    assert (code, json_code) == (0, 0)
    assert [fact["key_id"] for fact in facts] == [id_of(key) for key in keys]
    assert [fact["is_expired"] for fact in facts] == [False, False, True]
    assert (facts[0]["requests_per_second"], facts[0]["burst"]) == (5, 9)
    lines = page.splitlines()
    for key, line in zip(keys, lines[1:], strict=True):
        assert line.startswith(id_of(key))
    assert "EXPIRED" in lines[3]
    content = json.loads(path.read_text())["keys"]
    secrets = [key[16:] for key in keys] + [
        key[part] for key in content for part in ("salt", "digest")
    ]
    assert not [secret for secret in secrets if secret in page + text]


def test_revoke_removes_the_key_and_says_whose_it_was(path: Path) -> None:
    first, second = add(path), add(path, name="robot")
    code, printed, _ = invoke("revoke", id_of(first), "--keys", path)
    assert (code, printed) == (0, f"Revoked the key {id_of(first)} of shop.\n")
    assert [key.key_id for key in read_keys(path)] == [id_of(second)]
    with pytest.raises(UnknownKeyError) as caught:
        invoke("revoke", id_of(first), "--keys", path)
    assert caught.value.exit_code == 2


def test_commands_use_the_file_of_the_settings(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "serving.toml"
    config.write_text(f'[serving]\nkeys = "{path}"\n')
    assert invoke("add", "shop", "--config", config)[0] == 0
    monkeypatch.setenv("XUANPIN_SERVING__KEYS", str(path))
    assert invoke("add", "shop")[0] == 0
    assert len(json.loads(invoke("list", "--json")[1])) == 2


def test_commands_without_a_file_are_refused(path: Path) -> None:
    for command in (["add", "shop"], ["list"], ["revoke", "0" * 12]):
        with pytest.raises(NoKeyFileError) as refused:
            invoke(*command)
        assert isinstance(refused.value, SettingsError)
    for command in (["list"], ["revoke", "0" * 12]):
        with pytest.raises(ArtefactError, match="it is missing"):
            invoke(*command, "--keys", path)
