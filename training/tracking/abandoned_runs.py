"""End the runs of killed processes: MLflow would show them as running for ever."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import psutil

PROCESS_TAG: Final = "xuanpin.process"

OPEN_RUNS_FILTER: Final = f"attributes.status = 'RUNNING' AND tags.`{PROCESS_TAG}` LIKE '{{%'"

_MAX_PID: Final = 2**31 - 1

_START_TOLERANCE_SECONDS: Final = 2.0
"""The kernel rounds the moment of the boot to a second, and may round it otherwise later."""

_ENDED: Final = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
"""The process has ended, and its parent hasn't asked for its exit code yet."""


class ProcessIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which process it is, and where it runs; a text is empty where the system doesn't tell."""

    host: str
    machine: str
    boot: str
    namespace: str
    pid: Annotated[int, msgspec.Meta(ge=1, le=_MAX_PID)]
    started: float
    """Seconds since the boot: clocks that are set later don't change it."""

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Return the identity of this process."""
        return cls(
            host=socket.gethostname(),
            machine=_machine_digest(),
            boot=_read_text("/proc/sys/kernel/random/boot_id"),
            namespace=_pid_namespace(),
            pid=os.getpid(),
            started=_start_time(psutil.Process()),
        )

    def to_text(self) -> str:
        """Return the text that a tag of a run holds."""
        return msgspec.json.encode(self).decode()


def parse_identity(text: str) -> ProcessIdentity | None:
    """Return the identity that a tag holds, None if the text is something else."""
    try:
        return msgspec.json.decode(text, type=ProcessIdentity)
    except msgspec.DecodeError:
        return None


def is_surely_gone(identity: ProcessIdentity, here: ProcessIdentity) -> bool:
    """Return whether a process has surely ended, as seen from the process `here`.

    Nothing is known of a process on another host. A process of an earlier boot of the same machine
    has ended. Two machines may have the same host name, so without a machine's id an earlier boot
    says nothing.
    """
    if identity.host != here.host or identity.machine != here.machine:
        return False
    if identity.boot != here.boot:
        return bool(identity.machine and identity.boot and here.boot)
    return identity.namespace == here.namespace and not _is_running(identity)


def _is_running(identity: ProcessIdentity) -> bool:
    """Return whether the process id exists and wasn't given to a later process."""
    try:
        process = psutil.Process(identity.pid)
        is_same = abs(_start_time(process) - identity.started) <= _START_TOLERANCE_SECONDS
        return is_same and process.status() not in _ENDED
    except psutil.Error:  # it has ended, or it is hidden from this user
        return bool(psutil.pid_exists(identity.pid))


def _start_time(process: psutil.Process) -> float:
    return float(process.create_time() - psutil.boot_time())


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _machine_digest() -> str:
    """Return a digest of the machine's id, which must not be shown (man 5 machine-id)."""
    machine = _read_text("/etc/machine-id")
    return hashlib.sha256(f"xuanpin {machine}".encode()).hexdigest()[:16] if machine else ""


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def end_abandoned_runs(client: Any, here: ProcessIdentity) -> None:  # noqa: ANN401 - MLflow ships no types
    """Mark as KILLED every open run of this program whose process is surely gone.

    Child runs have the tag of their process too.
    """
    experiments = [found.experiment_id for found in _iterate_pages(client.search_experiments)]
    if not experiments:
        return

    def search(**page: object) -> Any:  # noqa: ANN401 - likewise
        return client.search_runs(experiments, OPEN_RUNS_FILTER, **page)

    for run in list(_iterate_pages(search)):  # all of them, before any leaves the pages
        identity = parse_identity(run.data.tags[PROCESS_TAG])
        if identity is not None and is_surely_gone(identity, here):
            client.set_terminated(run.info.run_id, "KILLED")


def _iterate_pages(search: Callable[..., Any]) -> Iterator[Any]:
    """Yield the results of an MLflow search, page after page."""
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return
