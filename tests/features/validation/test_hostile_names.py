"""Directories may have any name: no engine reads it as a pattern, a URI, markup or an option."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import xuanpin
from features.dataset.dataset import open_dataset
from features.runtime.text import escape_glob, quote_path
from tests.worlds.sources import order, required_source, write_csv

NAMES = ["a'b", 'a"b', "a[b]", "a*b", "a?b", "a{b,c}", "a%20b", "a#b", "a;b", "a\\b", "a\nb"]
NAMES += ["ä", " a ", "-x", "~", "$HOME", "[bold]", ":smile:", "a=1", "a:b", ".a"]
DECOYS = ["aZb", "ab", "x", "home"]


@pytest.fixture(scope="module")
def decoys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of validated data sets with other rows, whose names patterns match."""
    root = tmp_path_factory.mktemp("names")
    source = required_source()
    source["orders"].append(order("another"))
    data = write_csv(root / "source", source)
    for name in DECOYS:
        out = root / f"out-{name}"
        assert (
            CliRunner().invoke(xuanpin.app, ["check", str(data), "--out", str(out)]).exit_code == 0
        )
    return root


@pytest.mark.parametrize("name", NAMES)
def test_directory_of_any_name_is_checked_and_opened(
    decoys: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(decoys)
    data, out = write_csv(decoys / name, required_source()), Path(f"out-{name}")
    done = CliRunner().invoke(xuanpin.app, ["check", "--out", str(out), "--", data.name])
    assert done.exit_code == 0, done.output
    if name.isprintable():
        assert done.stdout.startswith(f"{name}: 3 tables")
    assert done.stdout.endswith(f"The validated tables are in {quote_path(out)}.\n")
    dataset = open_dataset(out)
    assert dataset.connection.execute(dataset.tables["orders"].count()) == len(
        required_source()["orders"]
    )
    for path in (data, out):
        shutil.rmtree(path)


@pytest.mark.parametrize("name", ["a*b", "a?b", "a[b]", "~", "a{b,c}"])
def test_escaped_path_is_absolute_and_matches_only_itself(name: str) -> None:
    pattern = escape_glob(Path(name))
    assert Path(pattern).is_absolute()
    assert not set("*?[{") & set(
        pattern.replace("[*]", "").replace("[?]", "").replace("[[]", "").replace("[{]", "")
    )
