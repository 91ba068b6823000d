"""Load and verify the artefacts that a run directory has published, and warm them up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import ArtefactError
from features.runtime.pointer import resolve
from features.runtime.signature import read_public_key
from serving.bundle.bundle import Bundle, load_bundle
from serving.scoring.candidates import DEFAULT_COVERAGE, MAX_CANDIDATES, Candidate
from serving.scoring.score import check_age, check_pair, score

WARM_UP_SIZES: Final = (1, MAX_CANDIDATES)


class UnreadableError(ArtefactError):
    """Refuse artefacts that the system doesn't let this process read."""

    def __init__(self, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        super().__init__(
            problem=f"The bundle or the snapshot can't be read: {reason}.",
            hint="Check the run directory and its permissions.",
        )


@dataclass(frozen=True)
class LoadedArtefacts:
    """A verified bundle and a verified snapshot that were made for each other."""

    bundle: Bundle
    snapshot: OnlineSnapshot


@dataclass(frozen=True)
class ArtefactPair:
    """The directories of a bundle and of a snapshot."""

    bundle: Path
    snapshot: Path

    @classmethod
    def in_use(cls, bundles: Path, snapshots: Path) -> Self:
        """Return the pair that was published last.

        Raises:
            ArtefactError: nothing is published, or a pointer can't be read.
        """
        try:
            return cls(resolve(bundles), resolve(snapshots))
        except OSError as error:
            raise UnreadableError(error) from error

    def is_loaded_as(self, served: LoadedArtefacts) -> bool:
        """Return whether these are the artefacts in memory."""
        loaded = (served.bundle.bundle_id, served.snapshot.snapshot_id)
        return (self.bundle.name, self.snapshot.name) == loaded


def load_artefacts(
    *,
    bundles: Path,
    snapshots: Path,
    public_key: Path | None = None,
    max_snapshot_age_days: int | None = None,
) -> LoadedArtefacts:
    """Load the published bundle and snapshot; see `load_pair`.

    Raises:
        ArtefactError: nothing is published, or an artefact is broken, changed or doesn't fit.
    """
    return load_pair(
        ArtefactPair.in_use(bundles, snapshots),
        public_key=public_key,
        max_snapshot_age_days=max_snapshot_age_days,
    )


def load_pair(
    pair: ArtefactPair,
    *,
    public_key: Path | None = None,
    max_snapshot_age_days: int | None = None,
    previous: LoadedArtefacts | None = None,
) -> LoadedArtefacts:
    """Verify, load and warm up a bundle and a snapshot.

    With a key file, its owner must have signed both. `max_snapshot_age_days` is how far apart the
    data of both may end; None accepts any distance, which answers flag if it is long. Of the
    `previous` artefacts those that are the same are kept: a process can't open a snapshot twice.

    Raises:
        ArtefactError: an artefact is broken, changed or doesn't fit the other.
    """
    try:
        key = None if public_key is None else read_public_key(public_key)
        bundle = snapshot = None
        if previous is not None and previous.bundle.bundle_id == pair.bundle.name:
            bundle = previous.bundle
        if previous is not None and previous.snapshot.snapshot_id == pair.snapshot.name:
            snapshot = previous.snapshot
        served = LoadedArtefacts(
            bundle=bundle or load_bundle(pair.bundle, key),
            snapshot=snapshot or OnlineSnapshot.open_verified(pair.snapshot, key),
        )
    except OSError as error:
        raise UnreadableError(error) from error
    check_pair(served.bundle, served.snapshot)
    check_age(served.bundle, served.snapshot, max_snapshot_age_days)
    warm_up(served)
    return served


def warm_up(served: LoadedArtefacts) -> None:
    """Score candidates of every market once, so that no request pays for the first use."""
    for market, currency in served.snapshot.about.markets.items():
        candidate = Candidate(
            product_id="warm-up",
            market=market,
            list_price_minor=1,
            currency=currency,
            units_offered=1,
        )
        for size in WARM_UP_SIZES:
            batch = score(
                served.bundle, served.snapshot, [candidate] * size, coverage=DEFAULT_COVERAGE
            )
            msgspec.json.encode(batch)
