"""The front door: light to open, and every failure ends in one message and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import xuanpin
from tests.worlds.processes import COMMAND, Program, run_program
from tests.worlds.sources import order, required_source, write_csv, write_parquet

ROOT = Path(__file__).parents[1]
HEAVY = (
    "bentoml",
    "duckdb",
    "ibis",
    "lightgbm",
    "lmdb",
    "mlflow",
    "numpy",
    "pandas",
    "pandera",
    "pyarrow",
    "pydantic",
    "rich",
    "sklearn",
)


def run(*arguments: object, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line, or code that ends in it, in a new interpreter."""
    start = ["-m", "xuanpin"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_front_door_imports_nothing_heavy() -> None:
    code = f"import sys, xuanpin; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_library_imports_without_side_effect_on_warnings() -> None:
    code = (
        "import warnings; before = list(warnings.filters); "
        "import features, serving, training, experiments; print(before == warnings.filters)"
    )
    assert run(code=code).stdout == "True\n"


def test_check_prints_nothing_on_standard_error(tmp_path: Path) -> None:
    done = run("check", write_csv(tmp_path / "data", required_source()))
    assert (done.returncode, done.stderr) == (0, "")


WORKER = """
import multiprocessing, xuanpin

@xuanpin.app.command()
def spawn():
    worker = multiprocessing.get_context("spawn").Process(
        target=__import__, args=("features.contract.tables",)
    )
    worker.start()
    worker.join()

if __name__ == "__main__":
    xuanpin.main()
"""


def test_worker_processes_of_a_command_print_nothing_on_standard_error() -> None:
    done = run("spawn", code=WORKER)
    assert (done.returncode, done.stderr) == (0, "")


def test_front_door_shows_version_and_commands() -> None:
    runner = CliRunner()
    assert re.fullmatch(r"xuanpin \d+\.\d+\.\d+\n", runner.invoke(xuanpin.app, "--version").stdout)
    page = runner.invoke(xuanpin.app, "--help").stdout
    for command in ("check", "import"):
        assert re.search(rf"^│ {command} ", page, re.MULTILINE)


@pytest.mark.parametrize("command", ["", "check", "import online-retail", "train"])
def test_front_door_help_ends_with_an_example(command: str) -> None:
    page = CliRunner().invoke(xuanpin.app, f"{command} --help").stdout
    assert f"Example: xuanpin {command}".strip() in page


FAIL = """
import errno, xuanpin
from features.runtime.errors import TrainingError

@xuanpin.app.command()
def fail():
    secret = "a value of the data"
    raise {what}

xuanpin.main()
"""


@pytest.mark.parametrize(
    ("what", "exit_code", "message"),
    [
        (
            "TrainingError('No rows.', 'Bring some.')",
            4,
            "No rows. Bring some.",
        ),
        ("OSError(errno.ENOSPC, '', '/x')", 6, "The disk is full: /x."),
        ("OSError(errno.EROFS, '', '/x')", 6, "The disk is read-only: /x."),
        ("PermissionError(errno.EACCES, '', '/x')", 6, "Permission denied: /x."),
        (
            "__import__('duckdb').OutOfMemoryException('no block')",
            6,
            "A query needs more memory, and more temporary space in ",
        ),
    ],
)
def test_front_door_turns_failures_into_a_message_and_a_code(
    what: str, exit_code: int, message: str
) -> None:
    code, printed, told = run_program(FAIL.format(what=what), "fail")
    assert (code, printed) == (exit_code, "")
    assert told.startswith(f"xuanpin: {message}")
    assert told.count("\n") == 1


def test_front_door_stops_without_a_word_when_interrupted() -> None:
    assert run_program(FAIL.format(what="KeyboardInterrupt"), "fail") == (130, "", "")


@pytest.mark.parametrize("what", ["ZeroDivisionError(secret)", "OSError(secret)"])
def test_front_door_hides_a_traceback_in_a_file(tmp_path: Path, what: str) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    code, _, told = run_program(FAIL.format(what=what), "fail", environment=environment)
    (file,) = tmp_path.iterdir()
    assert code == 70
    assert told == (
        "xuanpin: an unexpected error occurred. "
        f"Please report it with the details in {file} (they may hold values of your data).\n"
    )
    assert "Traceback" in file.read_text()
    assert "a value of the data" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_front_door_without_room_for_the_traceback_says_so() -> None:
    environment = {**os.environ, "TMPDIR": "/dev/null"}
    code = "import tempfile; tempfile.tempdir = '/dev/null'\n" + FAIL.format(
        what="ZeroDivisionError"
    )
    exit_code, printed, told = run_program(code, "fail", environment=environment)
    assert (exit_code, printed) == (70, "")
    assert told == (
        "xuanpin: an unexpected error occurred. Its details can't be written: "
        "set TMPDIR to a directory with room, and try again.\n"
    )


def check(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(xuanpin.app, ["check", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_check_of_valid_tables_ends_with_0_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "passing"))
    (tmp_path / "passing").mkdir()
    exit_code, page = check(write_parquet(tmp_path / "data", required_source()))
    assert exit_code == 0
    assert page.endswith(
        "All rows are valid.\nTo keep the validated tables and the quarantine, add --out DIR.\n"
    )
    assert list((tmp_path / "passing").iterdir()) == []


def test_check_with_quarantined_rows_ends_with_1_and_says_where_they_are(tmp_path: Path) -> None:
    source = required_source()
    source["orders"].append(order("bad", units=0))
    data, out = write_csv(tmp_path / "data", source), tmp_path / "out"
    exit_code, page = check(data, "--out", out)
    assert exit_code == 1
    assert "orders  1  units: outside 1 to 1,000,000  (row 4)" in page
    assert "1 of 9 rows are quarantined; the others can be used." in page
    assert f"are in {out / 'quarantine'}." in page.replace("\n", "")
    assert (out / "quarantine" / "orders.parquet").is_file()


def test_check_as_json_prints_the_report_and_nothing_else(tmp_path: Path) -> None:
    data, out = write_csv(tmp_path / "data", required_source()), tmp_path / "out"
    exit_code, text = check(data, "--json", "--out", out)
    assert exit_code == 0
    assert text == (out / "report.json").read_text(encoding="utf-8")
    assert json.loads(text)["source"] == "data"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["check", "nowhere"], 3, "xuanpin: There is no directory nowhere."),
        (["check"], 2, "Usage: xuanpin check"),
        (["check", "data", "--ouT", "x"], 2, "No such option"),
        (["chekc"], 2, "No such command"),
        (
            ["check", "data", "--out", "data"],
            6,
            "xuanpin: Writing data would replace its own",
        ),
    ],
)
def test_check_that_cannot_run_ends_with_the_documented_code(
    arguments: list[str], exit_code: int, message: str
) -> None:
    code, printed, told = run_program(COMMAND, *arguments)
    assert (code, printed) == (exit_code, "")
    assert message in told
    assert "Traceback" not in told


def test_check_whose_reader_goes_away_ends_quietly(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "data", required_source())
    command = f"{sys.executable} -m xuanpin check {data} --json | head -c 1"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ("{", "")


SLEEP = """
import sys, time, xuanpin
from pathlib import Path
from features.runtime.atomic import write_directory

@xuanpin.app.command()
def sleep(out: Path, library: bool = False):
    with write_directory(out) as partial:
        (partial / "orders.parquet").write_text("rows of people")
        print("at work", flush=True)
        try:
            time.sleep(100)
        except BaseException:
            if library:
                raise RuntimeError("Query interrupted") from None
            raise

xuanpin.main()
"""


@pytest.mark.parametrize("options", [[], ["--library"]])
@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signal_in_the_middle_ends_quietly_and_leaves_nothing(
    tmp_path: Path, number: int, exit_code: int, options: list[str]
) -> None:
    with Program(SLEEP, "sleep", tmp_path / "out", *options) as program:
        program.read_line()
        os.kill(program.pid, number)
        assert program.communicate() == ("at work\n", "")
    assert program.returncode == exit_code
    assert list(tmp_path.iterdir()) == []


def test_signal_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    ignore = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    with Program(ignore + SLEEP, "sleep", tmp_path / "out") as program:
        program.read_line()
        os.kill(program.pid, signal.SIGHUP)
        os.kill(program.pid, signal.SIGTERM)
        program.communicate()
    assert program.returncode == 143


WRITE = """
import os, xuanpin
from pathlib import Path

@xuanpin.app.command()
def write(file: Path):
    file.write_text("rows")

os.umask(0)
xuanpin.main()
"""


def test_files_of_any_library_can_be_written_by_their_owner_only(tmp_path: Path) -> None:
    assert run_program(WRITE, "write", tmp_path / "file")[0] == 0
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_result_of_a_check_is_private_with_any_umask(tmp_path: Path, umask: int) -> None:
    data = write_csv(tmp_path / "data", required_source())
    code = f"import os; os.umask({umask}); {COMMAND}"
    assert run_program(code, "check", data, "--out", tmp_path / "out")[0] == 0
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o022 for path in (tmp_path / "out").rglob("*")} == {0}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize(
    ("arguments", "exit_code", "shown"),
    [
        (["check", "\udcff"], 2, "The argument \\udcff isn't UTF-8, so the file's name can't be"),
        (["check", "选\udcff"], 2, "The argument \\u9009\\udcff isn't UTF-8"),
        (["check", "选品"], 3, "There is no directory "),
        (["check", "data", "--选"], 2, "No such option"),
    ],
)
def test_names_are_printed_in_any_encoding(
    arguments: list[str], exit_code: int, shown: str, encoding: str
) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-m", "xuanpin", *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == exit_code
    assert shown in done.stderr.decode(encoding, errors="replace")
    assert b"unexpected" not in done.stderr


def test_json_in_ascii_is_json_with_the_same_names(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "选品😀", required_source())
    done = subprocess.run(
        [sys.executable, "-m", "xuanpin", "check", str(data), "--json"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert json.loads(done.stdout)["source"] == "选品😀"


MANY_LINES = """
import typer, xuanpin
from features.runtime.console import print_results

@xuanpin.app.command()
def talk(rich: bool = False):
    for number in range(100_000):
        print_results(f"line {number}") if rich else typer.echo(f"line {number}")

xuanpin.main()
"""


@pytest.mark.parametrize("options", [[], ["--rich"]])
def test_command_whose_reader_goes_away_ends_as_programs_do(options: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MANY_LINES, "talk", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"line 0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize(("target", "exit_code"), [("&-", 0), ("/dev/full", 6)])
def test_check_without_a_place_to_print_ends_in_order(
    tmp_path: Path, target: str, exit_code: int
) -> None:
    data = write_csv(tmp_path / "data", required_source())
    command = f"{sys.executable} -m xuanpin check {data} >{target}"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == exit_code
    assert "unexpected" not in done.stderr
