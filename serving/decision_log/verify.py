"""Prove that the files of a decision log are the ones that were written, all and in order.

A chain without a secret shows what was altered, removed, reordered or inserted by somebody who
doesn't make the rest of the chain anew. Who may write in the directory can do that. So the ends of
the chains, which the report names, must be noted elsewhere to prove more (docs/operations.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from features.runtime.progress import ProgressCallback
from features.runtime.refusals import raise_storage_errors
from features.runtime.text import escape
from serving.decision_log.chain_files import (
    CHAIN_NAME,
    HEAD,
    LOCK,
    RETENTION,
    START,
    FileFacts,
    Link,
    LogFile,
    list_files,
    name_file,
    read_facts,
    read_link,
)
from serving.decision_log.errors import BrokenLogFileError, NotALogError

MAX_FAULTS: Final = 20
"""Faults of a chain that are named; all are counted."""
RECORDS: Final = frozenset({HEAD, RETENTION, LOCK})


class ChainReport(msgspec.Struct):
    """What was found in a chain."""

    chain: str
    files: int = 0
    rows: int = 0
    not_logged: int = 0
    """Rows that were numbered and not logged: answered while the log had no room."""
    begins_after: int = 0
    """The last file that retention deleted; 0 if none was."""
    end: Link = START
    """The newest file; note it elsewhere."""
    first_hour: str = ""
    last_hour: str = ""
    faults: list[str] = []
    more_faults: int = 0
    remarks: list[str] = []

    def add_fault(self, fault: str) -> None:
        """Add a fault; count it if there are many."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(fault)
        else:
            self.more_faults += 1


class LogReport(msgspec.Struct, frozen=True):
    """What was found in a log."""

    directory: str
    chains: list[ChainReport]

    @property
    def fault_count(self) -> int:
        """Return the number of faults."""
        return sum(len(chain.faults) + chain.more_faults for chain in self.chains)


def list_chains(directory: Path) -> list[Path]:
    """Return the directories of a log's chains.

    Raises:
        NotALogError: there are none.
        StorageError: the disk refuses.
    """
    with raise_storage_errors():
        entries = sorted(directory.iterdir()) if directory.is_dir() else []
        chains = [path for path in entries if CHAIN_NAME.fullmatch(path.name) and path.is_dir()]
    if not chains:
        raise NotALogError(directory)
    return chains


def verify_log(directory: Path, progress: ProgressCallback) -> LogReport:
    """Verify all chains of a log, also while it is written.

    Raises:
        NotALogError: the directory holds no log.
        StorageError: the disk refuses.
    """
    chains = list_chains(directory)
    with raise_storage_errors():
        reports = [_ChainCheck(chain, progress).run() for chain in chains]
    return LogReport(str(directory), reports)


class _ChainCheck:
    """The verification of one chain, file by file."""

    def __init__(self, directory: Path, progress: ProgressCallback) -> None:
        self._directory = directory
        self._progress = progress
        self._report = ChainReport(chain=directory.name)
        self._previous: dict[int, str] = {}
        """The number of a file to the SHA-256 that it has of the file before it."""

    def run(self) -> ChainReport:
        """Compare each file with the one before it, and the last with the record of the end."""
        # The records that a running worker renews are read so that files may only be newer.
        has_head = (self._directory / HEAD).exists()
        head = read_link(self._directory / HEAD)
        files = list_files(self._directory)
        self._check_others()
        links = dict(self._links(files))
        removed = read_link(self._directory / RETENTION) or START
        if removed is START and (self._directory / RETENTION).exists():
            self._report.add_fault(f"{RETENTION} is not a record")
        self._check_start(links, removed)
        if has_head and head is None:
            self._report.add_fault(f"{HEAD} is not a record")
        self._check_end(links, head, removed)
        return self._report

    def _check_others(self) -> None:
        known = {file.path.name for file in list_files(self._directory)} | RECORDS
        for path in sorted(self._directory.iterdir()):
            if path.name not in known:
                self._report.add_fault(f"{escape(path.name)} belongs to no chain")

    def _links(self, files: list[LogFile]) -> Iterator[tuple[int, Link]]:
        """Yield the number and the link of each file, and report what doesn't fit."""
        before: Link | None = None
        for file in files:
            link = self._check_file(file, before)
            if link is not None:
                yield file.number, link
                before = link
            self._progress(f"verifying {self._directory.name}", self._report.rows)

    def _check_file(self, file: LogFile, before: Link | None) -> Link | None:
        try:
            with file.path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            facts = read_facts(file.path)
        except FileNotFoundError:
            return None  # retention deletes the oldest files meanwhile; _check_start knows
        except BrokenLogFileError as error:
            self._report.add_fault(f"{file.path.name} is altered: {error.problem}")
            return Link(file.number, digest, before.next_sequence if before else 0)
        self._previous[file.number] = facts.previous
        self._check_facts(file, facts)
        if before is not None:
            self._check_link(file, facts, before)
        self._count(file, facts)
        return Link(file.number, digest, facts.last_sequence + 1)

    def _check_facts(self, file: LogFile, facts: FileFacts) -> None:
        written = (facts.chain, name_file(facts.hour, facts.number))
        if (self._directory.name, file.path.name) != written:
            self._report.add_fault(
                f"{file.path.name} was written as {escape('/'.join(written))}: it was renamed, "
                "reordered or inserted"
            )

    def _check_link(self, file: LogFile, facts: FileFacts, before: Link) -> None:
        name = file.path.name
        if file.number == before.number:
            self._report.add_fault(f"{name} or another file of its number is inserted")
        elif file.number > before.number + 1:
            self._report.add_fault(_describe_missing(before.number + 1, file.number - 1))
        elif facts.previous != before.sha256:
            self._report.add_fault(
                f"{name} doesn't continue file {before.number}: one of the two was altered or "
                "replaced"
            )
        gap = facts.first_sequence - before.next_sequence
        if gap < 0:
            self._report.add_fault(f"{name} repeats row numbers of earlier files")
        elif file.number == before.number + 1:
            self._report.not_logged += gap

    def _count(self, file: LogFile, facts: FileFacts) -> None:
        report = self._report
        report.files += 1
        report.rows += facts.rows
        report.not_logged += facts.last_sequence - facts.first_sequence + 1 - facts.rows
        report.first_hour = min(report.first_hour or file.hour, file.hour)
        report.last_hour = max(report.last_hour, file.hour)

    def _check_start(self, links: dict[int, Link], removed: Link) -> None:
        """Check that what lies before the first file was deleted by retention."""
        self._report.begins_after = removed.number
        first = min(links, default=None)
        if first is not None and first > removed.number + 1:
            self._report.add_fault(_describe_missing(removed.number + 1, first - 1))
        elif first == removed.number + 1 and not self._continues(first, removed):
            source = f"what {RETENTION} names" if removed.number else "the start of a chain"
            self._report.add_fault(f"file {first} doesn't continue {source}")

    def _continues(self, number: int, link: Link) -> bool:
        """Return whether a file names a link as the one before it; an altered file is reported."""
        return self._previous.get(number, link.sha256) == link.sha256

    def _check_end(self, links: dict[int, Link], head: Link | None, removed: Link) -> None:
        last = max(links, default=removed.number)
        self._report.end = links.get(last, removed)
        if head is None:
            if last:
                self._report.add_fault(f"{HEAD} is missing: files may be missing at the end")
            return
        if head.number > last:
            self._report.add_fault(_describe_missing(last + 1, head.number))
        elif head.number in links and links[head.number] != head:
            self._report.add_fault(f"file {head.number} is not the one that {HEAD} names")
        elif head.number < last:
            self._check_newer(head.number, last)

    def _check_newer(self, known: int, last: int) -> None:
        """Judge files that the record of the end doesn't name yet."""
        head = read_link(self._directory / HEAD)
        if head is not None and head.number >= last:
            return  # they were written during the verification
        if last - known > 1:
            self._report.add_fault(f"files {known + 1} to {last} are inserted: {HEAD} ends before")
        else:
            self._report.remarks.append(
                f"{HEAD} doesn't name file {last} yet: its worker was killed in that moment, or "
                "the file was added by hand"
            )


def _describe_missing(first: int, last: int) -> str:
    return f"file {first} is missing" if first == last else f"files {first} to {last} are missing"
