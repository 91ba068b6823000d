"""Tampered logs, one row a way to tamper, and what the verification says of each."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.runtime.progress import ignore_progress
from serving.decision_log.chain import Chain, open_chain
from serving.decision_log.chain_files import LOCK, list_files, read_link
from serving.decision_log.errors import NotALogError
from serving.decision_log.verify import MAX_FAULTS, verify_log
from serving.scoring.score import Scoring
from tests.worlds.logs.decisions import open_log, record, write_files

FILES = 5
ALTERED = "one of the two was altered or replaced"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, scoring: Scoring) -> Path:
    """A log with a chain of five files, and one of a single file."""
    log = tmp_path_factory.mktemp("sound") / "log"
    write_files(log, scoring, FILES)
    with (log / "worker-00" / LOCK).open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as the worker that has this chain
        with open_log(log) as second:
            record(second, scoring)
    return log


def file(log: Path, number: int) -> Path:
    return list_files(log / "worker-00")[number - 1].path


def _flip_a_bit(log: Path) -> None:
    data = bytearray(file(log, 2).read_bytes())
    data[40] ^= 1
    file(log, 2).write_bytes(data)


def _change_a_prediction(log: Path) -> None:
    table = pq.read_table(file(log, 2))
    index = table.schema.get_field_index("sell_through")
    changed = table.set_column(index, table.schema.field(index), pa.array([0.9] * 3))
    pq.write_table(changed, file(log, 2))


def _change_the_last_file(log: Path) -> None:
    pq.write_table(pq.read_table(file(log, 5)), file(log, 5), compression="gzip")


def _leave_out_a_column(log: Path) -> None:
    pq.write_table(pq.read_table(file(log, 2)).drop_columns(["flags"]), file(log, 2))


def _remove_all(log: Path) -> None:
    for each in list_files(log / "worker-00"):
        each.path.unlink()


def _swap(log: Path) -> None:
    second, third = file(log, 2), file(log, 3)
    second.rename(log / "aside")
    third.rename(second)
    (log / "aside").rename(third)


def _insert_a_copy(log: Path) -> None:
    name = file(log, 5).name
    shutil.copy(file(log, 2), file(log, 5).with_name(name.replace("005.", "006.")))


def _insert_a_second_of_a_number(log: Path) -> None:
    name = "1999-01-01T00-00000002.parquet"
    shutil.copy(file(log, 2), file(log, 2).with_name(name))


def _replace_by_another_chains(log: Path) -> None:
    shutil.copy(next((log / "worker-01").glob("*.parquet")), file(log, 1))


def _append_by_hand(log: Path) -> None:
    """Continue the chain as the program does, twice, and put the old end back."""
    head = (log / "worker-00" / "head.json").read_bytes()
    table = pq.read_table(file(log, 5))
    chain: Chain = open_chain(log)
    for _ in range(2):
        chain.append(table, "2026-01-01T00", first_sequence=chain.next_sequence)
    chain.close()
    (log / "worker-00" / "head.json").write_bytes(head)


def _forge_the_end(log: Path) -> None:
    head = json.loads((log / "worker-00" / "head.json").read_bytes())
    (log / "worker-00" / "head.json").write_text(json.dumps(head | {"sha256": "1" * 64}))


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda log: (log / "worker-00" / name).write_text(text)


TAMPERED: list[tuple[str, Callable[[Path], object], list[str]]] = [
    ("a bit", _flip_a_bit, [ALTERED]),
    ("a prediction", _change_a_prediction, [ALTERED]),
    ("the last file", _change_the_last_file, ["file 5 is not the one that head.json names"]),
    ("cut off", lambda log: file(log, 2).write_bytes(b"PAR1"), ["can't be read", ALTERED]),
    ("no column", _leave_out_a_column, ["other columns", ALTERED]),
    ("middle removed", lambda log: file(log, 3).unlink(), ["file 3 is missing"]),
    ("first removed", lambda log: file(log, 1).unlink(), ["file 1 is missing"]),
    ("last removed", lambda log: file(log, 5).unlink(), ["file 5 is missing"]),
    (
        "all removed",
        _remove_all,
        ["files 1 to 5 are missing"],
    ),
    ("swapped", _swap, ["was written as", "doesn't continue"]),
    ("a copy", _insert_a_copy, ["was written as", "repeats row numbers"]),
    ("a second", _insert_a_second_of_a_number, ["is inserted", "was written as"]),
    ("of another chain", _replace_by_another_chains, ["was written as worker-01", ALTERED]),
    ("appended", _append_by_hand, ["files 6 to 7 are inserted"]),
    ("end forged", _forge_the_end, ["file 5 is not the one that head.json names"]),
    ("no end", lambda log: (log / "worker-00/head.json").unlink(), ["head.json is missing"]),
    ("broken end", _write("head.json", "{}"), ["head.json is not a record"]),
    ("broken beginning", _write("retention.json", "{}"), ["retention.json is not a record"]),
    (
        "forged beginning",
        _write("retention.json", '{"number":0,"sha256":"x","next_sequence":0}'),
        ["file 1 doesn't continue"],
    ),
    ("a stranger", _write("notes.txt", "mine"), ["notes.txt belongs to no chain"]),
]


@pytest.mark.parametrize(
    ("tamper", "faults"), [row[1:] for row in TAMPERED], ids=[row[0] for row in TAMPERED]
)
def test_tampering_is_found(
    tamper: Callable[[Path], object], faults: list[str], sound: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    shutil.copytree(sound, log)
    tamper(log)
    first, second = verify_log(log, ignore_progress).chains
    for fault in faults:
        assert any(fault in found for found in first.faults), first.faults
    assert len(first.faults) <= 6
    assert second.faults == []


def test_sound_log_names_the_end_of_each_chain(sound: Path) -> None:
    report = verify_log(sound, ignore_progress)
    assert report.fault_count == 0
    assert [(chain.files, chain.rows) for chain in report.chains] == [(FILES, 15), (1, 3)]
    assert [chain.end for chain in report.chains] == [
        read_link(sound / chain.chain / "head.json") for chain in report.chains
    ]


def test_file_that_a_killed_worker_could_not_name_yet_is_a_remark(
    sound: Path, tmp_path: Path, scoring: Scoring
) -> None:
    log = tmp_path / "log"
    shutil.copytree(sound, log)
    head = (log / "worker-00" / "head.json").read_bytes()
    write_files(log, scoring, 1)
    (log / "worker-00" / "head.json").write_bytes(head)
    (chain, _) = verify_log(log, ignore_progress).chains
    assert (chain.faults, chain.end.number) == ([], FILES + 1)
    assert "doesn't name file 6 yet" in chain.remarks[0]
    write_files(log, scoring, 1)  # the next worker finds it
    (chain, _) = verify_log(log, ignore_progress).chains
    assert (chain.faults, chain.remarks, chain.rows) == ([], [], 21)


def test_many_faults_are_counted_and_a_bounded_number_is_named(sound: Path, tmp_path: Path) -> None:
    shutil.copytree(sound, tmp_path / "log")
    for number in range(30):
        (tmp_path / "log" / "worker-00" / f"{number}\x1b[2J").touch()
    report = verify_log(tmp_path / "log", ignore_progress)
    assert report.fault_count == 30
    assert len(report.chains[0].faults) == MAX_FAULTS
    assert "\x1b" not in "".join(report.chains[0].faults)


@pytest.mark.parametrize("name", ["", "nothing"])
def test_directory_without_a_log_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotALogError):
        verify_log(tmp_path / name, ignore_progress)
