"""Runs that a killed process left open: MLflow would show them as running for ever."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

_STATE: Final = 0
_STARTED: Final = 19
"""Places of the state and of the start time, in ticks since the boot, among a process's fields
after its name (man 5 proc_pid_stat)."""

_DEAD: Final = ("Z", "X")
"""States of a process that has ended and whose parent hasn't asked for its exit code yet."""


class ProcessIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a process runs and which one it is; empty where the system doesn't tell."""

    host: str
    machine: str
    boot: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Return the mark of this process."""
        return cls(
            host=socket.gethostname(),
            machine=_machine_digest(),
            boot=_read_text("/proc/sys/kernel/random/boot_id"),
            namespace=_pid_namespace(),
            pid=os.getpid(),
            started=_process_field(os.getpid(), _STARTED),
        )

    def to_text(self) -> str:
        """Return the mark as it is written into a tag."""
        return msgspec.json.encode(self).decode()


def parse_identity(text: str) -> ProcessIdentity | None:
    """Return the mark that a text holds, None where it is no mark of ours."""
    try:
        return msgspec.json.decode(text, type=ProcessIdentity)
    except msgspec.DecodeError:
        return None


def is_surely_gone(identity: ProcessIdentity, here: ProcessIdentity) -> bool:
    """Tell whether the process of a mark has ended, as far as it can be known from `here`.

    Of another host nothing is known. Of the same machine under another boot nothing runs any
    more; a host name that isn't known to be the same machine's may be another's.
    """
    if identity.host != here.host or identity.machine != here.machine:
        return False
    if identity.boot != here.boot:
        return bool(identity.machine and identity.boot and here.boot)
    if identity.namespace != here.namespace:
        return False
    return not _is_in_use(identity.pid) or _has_ended(identity)


def _has_ended(identity: ProcessIdentity) -> bool:
    """Tell whether a process id is that of a dead process, or was given to a later one."""
    state, started = _process_field(identity.pid, _STATE), _process_field(identity.pid, _STARTED)
    return state in _DEAD or (bool(started and identity.started) and started != identity.started)


def _is_in_use(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _process_field(pid: int, place: int) -> str:
    fields = _read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[place] if len(fields) > place else ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _machine_digest() -> str:
    """Return a digest of the machine's id, which is not to be shown (man 5 machine-id)."""
    machine = _read_text("/etc/machine-id")
    return hashlib.sha256(f"xuanpin {machine}".encode()).hexdigest()[:16] if machine else ""


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


PROCESS_TAG: Final = "xuanpin.process"

OPEN_RUNS_FILTER: Final = f"attributes.status = 'RUNNING' AND tags.`{PROCESS_TAG}` LIKE '{{%'"


def end_abandoned_runs(client: Any, here: ProcessIdentity) -> None:  # noqa: ANN401 - MLflow ships no types
    """Mark as KILLED every open run of ours, child runs too, whose process is surely gone."""
    experiments = [one.experiment_id for one in _iterate_pages(client.search_experiments)]
    if not experiments:
        return

    def search(**page: object) -> Any:  # noqa: ANN401 - likewise
        return client.search_runs(experiments, OPEN_RUNS_FILTER, **page)

    for run in list(_iterate_pages(search)):  # all of them, before any leaves the pages
        identity = parse_identity(run.data.tags[PROCESS_TAG])
        if identity is not None and is_surely_gone(identity, here):
            client.set_terminated(run.info.run_id, "KILLED")


def _iterate_pages(search: Callable[..., Any]) -> Iterator[Any]:
    """Yield what a search of MLflow finds, page by page."""
    token = None
    while True:
        found = search(page_token=token)
        yield from found
        token = found.token
        if not token:
            return
