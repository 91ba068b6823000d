"""Score the decisions of a log again: with the same bundle the same bits, with another its verdict.

The scoring is that of the service (serving/scoring/score.py). A log may hold decisions of several
bundles and snapshots; each is replayed on the snapshot that it was made on, or all on one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from features.online.snapshot import OnlineSnapshot
from features.runtime.progress import ProgressCallback
from serving.bundle.bundle import Bundle
from serving.decision_log.chain_files import LogFile
from serving.decision_log.columns import CANDIDATE, RESULT, build_results
from serving.decision_log.comparison import Bounds, Example, Group, Tally
from serving.decision_log.errors import EmptyPeriodError, MissingSnapshotsError
from serving.decision_log.reading import Period, find_files, read_rows
from serving.scoring.admission import AdmittedCandidate, admit_each
from serving.scoring.candidates import Candidate, parse_candidate
from serving.scoring.refusals import Detail
from serving.scoring.score import score_with_inputs

_SNAPSHOT_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """What to replay, and with what."""

    log: Path
    period: Period
    bundle: Bundle
    snapshots: Path
    """The directory with the snapshots of the logged decisions."""
    snapshot: Path | None
    """One snapshot for all decisions, in place of theirs."""
    bounds: Bounds


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found."""

    log: str
    bundle_id: str
    min_sell_through: float
    max_return_risk: float
    rows: int
    groups: list[Group]
    refusals: dict[str, int]
    flips_of_market: dict[str, dict[str, int]]
    flips: list[Example]
    """Those whose estimates moved farthest."""
    failures: list[Example]
    """The first rows that had to be repeated and aren't."""

    @property
    def failure_count(self) -> int:
        """Return how many rows had to be repeated bit for bit and aren't."""
        return sum(group.differing + group.refused for group in self.groups if group.must_repeat)

    @property
    def flip_count(self) -> int:
        """Return how many verdicts flip."""
        return sum(group.became_worth + group.became_unworth for group in self.groups)


def replay(request: ReplayRequest, progress: ProgressCallback) -> ReplayReport:
    """Replay the decisions of a period; memory doesn't grow with their number.

    Raises:
        DataError: there is no log, no row in the period, or a file isn't of its form.
        ArtefactError: a snapshot is missing, was changed or doesn't fit the bundle.
        StorageError: the disk refuses.
    """
    files = find_files(request.log, request.period)
    with ExitStack() as stack:
        replaying = _Replay(request, stack, _find_snapshots(request, files, progress))
        for file in files:
            for rows in read_rows(file, request.period):
                replaying.add(file.path.parent.name, rows)
                progress("replaying", replaying.rows)
        return replaying.report()


def _find_snapshots(
    request: ReplayRequest, files: Sequence[LogFile], progress: ProgressCallback
) -> dict[str, Path]:
    """Return the directory of each logged snapshot, before any long work."""
    names: set[str] = set()
    for file in files:
        progress("looking for snapshots")
        for rows in read_rows(file, request.period, ["time", "snapshot_id"]):
            names.update(rows.column("snapshot_id").unique().to_pylist())
    if not names:
        raise EmptyPeriodError(request.log)
    if request.snapshot is not None:
        return dict.fromkeys(names, request.snapshot)
    found = {name: request.snapshots / name for name in names if _SNAPSHOT_ID.fullmatch(name)}
    missing = sorted(name for name in names if name not in found or not found[name].is_dir())
    if missing:
        raise MissingSnapshotsError(request.snapshots, missing)
    return found


class _Replay:
    """A replay under way."""

    def __init__(
        self, request: ReplayRequest, stack: ExitStack, directories: dict[str, Path]
    ) -> None:
        self._request = request
        self._stack = stack
        self._directories = directories
        self._opened: dict[Path, OnlineSnapshot] = {}
        self._tally = Tally(request.bounds)
        self.rows = 0

    def add(self, chain: str, rows: pa.RecordBatch) -> None:
        """Score rows again, all of one bundle, snapshot and coverage at once."""
        names = ("bundle_id", "snapshot_id", "coverage")
        keys = zip(*(rows.column(name).to_pylist() for name in names), strict=True)
        positions: defaultdict[tuple[str, str, float], list[int]] = defaultdict(list)
        for position, key in enumerate(keys):
            positions[key].append(position)
        for (bundle_id, snapshot_id, coverage), places in positions.items():
            snapshot = self._open(self._directories[snapshot_id])
            group = self._group(bundle_id, snapshot_id, snapshot.snapshot_id)
            self._score(chain, group, rows.take(pa.array(places)), snapshot, coverage)
        self.rows += rows.num_rows

    def _score(
        self,
        chain: str,
        group: Group,
        rows: pa.RecordBatch,
        snapshot: OnlineSnapshot,
        coverage: float,
    ) -> None:
        admitted: list[AdmittedCandidate] = []
        places: list[int] = []
        for place, result in enumerate(_admit(snapshot, rows)):
            if isinstance(result, Detail):
                self._tally.add_refusal(group, chain, rows.slice(place, 1), result.code)
            else:
                admitted.append(result)
                places.append(place)
        if admitted:
            scoring = score_with_inputs(self._request.bundle, snapshot, admitted, coverage=coverage)
            replayed = pa.RecordBatch.from_arrays(build_results([scoring]), schema=RESULT)
            self._tally.add(group, chain, rows.take(pa.array(places)), replayed)

    def _open(self, directory: Path) -> OnlineSnapshot:
        if directory not in self._opened:
            snapshot = OnlineSnapshot.open_verified(directory)
            self._opened[directory] = self._stack.enter_context(closing(snapshot))
        return self._opened[directory]

    def _group(self, bundle_id: str, snapshot_id: str, replayed_on: str) -> Group:
        is_same = (bundle_id, snapshot_id) == (self._request.bundle.bundle_id, replayed_on)
        group = Group(
            bundle_id=bundle_id,
            snapshot_id=snapshot_id,
            replayed_on=replayed_on,
            must_repeat=is_same,
        )
        return self._tally.groups.setdefault((bundle_id, snapshot_id), group)

    def report(self) -> ReplayReport:
        """Return what was found."""
        tally, bounds = self._tally, self._request.bounds
        return ReplayReport(
            log=str(self._request.log),
            bundle_id=self._request.bundle.bundle_id,
            min_sell_through=bounds.min_sell_through,
            max_return_risk=bounds.max_return_risk,
            rows=self.rows,
            groups=list(tally.groups.values()),
            refusals=dict(tally.refusals),
            flips_of_market={
                market: dict(flips) for market, flips in tally.flips_of_market.items()
            },
            flips=tally.flips,
            failures=tally.failures,
        )


def _admit(snapshot: OnlineSnapshot, rows: pa.RecordBatch) -> list[AdmittedCandidate | Detail]:
    """Admit the candidates of logged rows; say which the snapshot, or their form, refuses."""
    parsed = [parse_candidate(row) for row in rows.select(CANDIDATE.names).to_pylist()]
    candidates = [each for each in parsed if isinstance(each, Candidate)]
    admitted = iter(admit_each(snapshot, candidates))
    return [each if isinstance(each, Detail) else next(admitted) for each in parsed]
