from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.runtime.errors import ArtefactError, SettingsError
from features.runtime.settings import load_section
from serving.api.cli import app
from serving.api.launch import build_command, build_environment
from serving.api.settings import ServingSettings, to_environment
from serving.api.supervisor import build_config
from serving.batch.errors import NoLimitError, OutputIsInputError, TwoLimitsError

HEADER = "product_id,market,list_price_minor,currency,units_offered\n"


def invoke(*arguments: object) -> tuple[int, str]:
    """Run a command in this process; don't catch its errors."""
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def run(run_directory: Path, tmp_path: Path) -> Path:
    """A run directory for one test, because LMDB opens a file once in a process."""
    shutil.copytree(run_directory, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(HEADER + "mug-1,GB,499,GBP,10\n" * 3)
    return path


def test_score_command_writes_the_file_and_tells_the_counts(
    candidates: Path, tmp_path: Path, run: Path
) -> None:
    out = tmp_path / "out.csv"
    code, text = invoke("score", candidates, "--out", out, "--run", run)
    assert (code, text) == (0, f"Scored 3 of 3 rows into {out}.\n")
    with out.open(newline="") as file:
        assert [row["coverage"] for row in csv.DictReader(file)] == ["0.8"] * 3


def test_score_command_with_bad_rows_ends_with_one(
    candidates: Path, tmp_path: Path, run: Path
) -> None:
    with candidates.open("a") as file:
        file.write("mug-1,GB,0,GBP,10\n" * 2 + "mug-1,FR,1,EUR,10\n")
    out = tmp_path / "out.parquet"
    code, text = invoke("score", candidates, "--out", out, "--run", run, "--coverage", 0.9)
    assert code == 1
    assert text == (
        f"Scored 3 of 6 rows into {out}.\n"
        "Refused 2 rows (4, 5): list_price_minor: out_of_range. "
        "The price must be from 1 to 10,000,000,000 minor units (cents, pence).\n"
        "Refused 1 row (6): market: unsupported_market. "
        "The model has not learned from this market. Check the code (the United Kingdom is GB), "
        "or leave the row out.\n"
        "Row 1 is the first row below the header; blank lines aren't counted.\n"
    )


def test_score_command_without_a_bundle_is_refused(candidates: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no file CURRENT") as caught:
        invoke("score", candidates, "--out", tmp_path / "out.csv", "--run", tmp_path)
    assert caught.value.exit_code == 5


def test_score_command_reads_the_run_from_the_environment(
    candidates: Path, tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XUANPIN_SERVING__RUN", str(run))
    assert invoke("score", candidates, "--out", tmp_path / "out.csv")[0] == 0


@pytest.mark.parametrize("coverage", ["0.4", "0.99", "nan", "high"])
def test_score_command_with_a_coverage_out_of_range_is_wrong_usage(
    coverage: str, candidates: Path, tmp_path: Path
) -> None:
    code, text = invoke("score", candidates, "--out", tmp_path / "out.csv", "--coverage", coverage)
    assert code == 2
    assert "--coverage" in text


def test_score_command_with_a_limit_marks_a_list(
    candidates: Path, tmp_path: Path, run: Path
) -> None:
    out = tmp_path / "out.csv"
    options = ("--min-sell-through", 0.0, "--bad-share", 0.2)
    code, text = invoke("score", candidates, "--out", out, "--run", run, *options)
    assert code == 0
    assert (
        "Chose 3 rows: at most 20 % of them are expected to have a sell-through under 0.\n" in text
    )
    assert out.read_text().count(",True\n") == 3


def test_score_command_that_can_choose_none_says_why(
    candidates: Path, tmp_path: Path, run: Path
) -> None:
    out = tmp_path / "out.csv"
    options = ("--min-sell-through", 1.0, "--bad-share", 0.01)
    code, text = invoke("score", candidates, "--out", out, "--run", run, *options)
    assert code == 0
    assert (
        "Chose none: in every list, a larger share than --bad-share would be expected bad.\n"
        in text
    )


@pytest.mark.parametrize(
    "options",
    [
        ("--bad-share", "2"),
        ("--min-sell-through", "2"),
        ("--min-sell-through", "0.5", "--bad-share", "0"),
        ("--min-sell-through", "0.5", "--bad-share", "nan"),
    ],
)
def test_score_command_asked_for_no_such_list_is_wrong_usage(
    options: tuple[str, ...], candidates: Path, tmp_path: Path
) -> None:
    assert invoke("score", candidates, "--out", tmp_path / "out.csv", *options)[0] == 2


def test_score_command_asked_for_two_lists_is_wrong_usage(
    candidates: Path, tmp_path: Path, run: Path
) -> None:
    limits = ("--min-sell-through", "0.5", "--max-return-risk", "0.2")
    with pytest.raises(TwoLimitsError) as caught:
        invoke("score", candidates, "--out", tmp_path / "out.csv", "--run", run, *limits)
    assert caught.value.exit_code == 2


def test_score_command_with_a_share_of_bad_rows_alone_is_wrong_usage(
    candidates: Path, tmp_path: Path, run: Path
) -> None:
    with pytest.raises(NoLimitError) as caught:
        invoke("score", candidates, "--out", tmp_path / "o.csv", "--run", run, "--bad-share", "0.2")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("make_link", [None, Path.symlink_to, Path.hardlink_to])
def test_score_command_never_writes_over_its_candidates(
    candidates: Path, tmp_path: Path, run: Path, make_link: Callable[[Path, Path], None] | None
) -> None:
    before = candidates.read_bytes()
    out = tmp_path / "link.csv" if make_link else candidates
    if make_link:
        make_link(out, candidates)
    with pytest.raises(OutputIsInputError) as caught:
        invoke("score", candidates, "--out", out, "--run", run)
    assert caught.value.exit_code == 2
    assert candidates.read_bytes() == before


def test_score_command_says_what_happened_to_columns(
    candidates: Path, tmp_path: Path, run: Path
) -> None:
    candidates.write_text("score,title," + HEADER + "9,Mug,mug-1,GB,499,GBP,10\n")
    out = tmp_path / "out.csv"
    assert invoke("score", candidates, "--out", out, "--run", run)[1] == (
        f"Scored 1 of 1 rows into {out}.\n"
        "Columns kept under another name: score as score_before.\n"
        "Columns kept but not used: title.\n"
    )


@pytest.mark.parametrize("command", ["serve", "score"])
def test_command_help_shows_an_example(command: str) -> None:
    code, text = invoke(command, "--help")
    assert code == 0
    assert f"xuanpin {command}" in text


@pytest.mark.parametrize(
    "option", [("--port", "70000"), ("--host", "everywhere"), ("--workers", "0")]
)
def test_serve_command_with_a_setting_out_of_range_is_refused(option: tuple[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        invoke("serve", *option)
    assert caught.value.exit_code == 2


def test_environment_carries_every_setting_to_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = ServingSettings(run=tmp_path, port=4000, workers=2, deadline_ms=750)
    for name, value in to_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_section(ServingSettings, "serving", file=None) == settings


def test_environment_of_the_server_is_lean_and_keeps_the_callers() -> None:
    caller = {"PATH": "/bin", "HOME": "/home/x", "XDG_CACHE_HOME": "/cache"}
    environment = build_environment(ServingSettings(), caller)
    assert {**environment, **caller} == environment
    assert environment["OMP_NUM_THREADS"] == "1"
    assert Path(environment["XUANPIN_SERVING__RUN"]).is_absolute()


def test_environment_names_the_key_file_and_not_what_it_links_to(tmp_path: Path) -> None:
    link = tmp_path / "keys.json"
    link.symlink_to("elsewhere.json")
    assert to_environment(ServingSettings(keys=link))["XUANPIN_SERVING__KEYS"] == str(link)


def test_server_listens_where_told_and_gives_requests_the_time_they_are_promised() -> None:
    config = build_config(ServingSettings(port=4000, graceful_seconds=7, workers=3))
    assert (config.host, config.port, config.workers) == ("127.0.0.1", 4000, 3)
    assert config.timeout_graceful_shutdown == 7


def test_settings_listen_on_this_machine_alone_by_default() -> None:
    assert str(ServingSettings().host) == "127.0.0.1"
    assert shutil.which(build_command()[0])
