from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import psutil
import pytest

from training.tracking.abandoned_runs import ProcessIdentity, is_surely_gone, parse_identity

HERE = ProcessIdentity.current()
NEVER = 2**22 + 1
"""More than the largest process id that Linux gives."""
TOO_LARGE = HERE.to_text().replace(f'"pid":{HERE.pid}', f'"pid":{2**70}')
NEGATIVE = HERE.to_text().replace(f'"pid":{HERE.pid}', '"pid":-1')


def identity(**changes: object) -> ProcessIdentity:
    return msgspec.structs.replace(HERE, **changes)


def test_own_process_is_not_gone_and_its_identity_can_be_read_back() -> None:
    assert HERE.pid == os.getpid()
    assert parse_identity(HERE.to_text()) == HERE
    assert not is_surely_gone(HERE, HERE)


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '{"pid": 1}', '"x"', HERE.to_text() + "x", TOO_LARGE, NEGATIVE]
)
def test_text_that_is_no_identity_is_told_apart(text: str) -> None:
    assert parse_identity(text) is None


WITHOUT_MACHINE = {"machine": "", "boot": "a", "pid": NEVER}


@pytest.mark.parametrize(
    ("changes", "here", "is_gone"),
    [
        ({"pid": NEVER}, {}, True),
        ({"started": HERE.started - 60}, {}, True),
        ({"started": HERE.started - 0.5}, {}, False),
        ({"host": "elsewhere", "pid": NEVER}, {}, False),
        ({"machine": "another", "pid": NEVER}, {}, False),
        ({"namespace": "pid:[1]", "pid": NEVER}, {}, False),
        ({"machine": "m", "boot": "a"}, {"machine": "m", "boot": "b"}, True),
        ({"machine": "m", "boot": ""}, {"machine": "m", "boot": "b"}, False),
        (WITHOUT_MACHINE, {"machine": "", "boot": "b"}, False),
        (WITHOUT_MACHINE, {"machine": "", "boot": "a"}, True),
    ],
)
def test_process_is_gone_only_where_that_is_sure(
    changes: dict[str, object], here: dict[str, object], *, is_gone: bool
) -> None:
    assert is_surely_gone(identity(**changes), identity(**here)) == is_gone


def test_process_that_was_killed_is_gone_before_and_after_its_parent_looks() -> None:
    code = (
        "from training.tracking.abandoned_runs import ProcessIdentity; "
        "print(ProcessIdentity.current().to_text()); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        killed = parse_identity(child.stdout.readline())
        assert killed is not None
        assert killed.pid == child.pid
        assert not is_surely_gone(killed, HERE)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_surely_gone(killed, HERE), "a zombie"
    assert is_surely_gone(killed, HERE)


def test_process_that_this_user_cannot_look_at_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def hide(pid: int) -> None:
        raise psutil.NoSuchProcess(pid)  # as under /proc mounted with hidepid

    monkeypatch.setattr(psutil, "Process", hide)
    assert not is_surely_gone(HERE, HERE)
