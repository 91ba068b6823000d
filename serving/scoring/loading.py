"""Load and verify the artefacts that a run directory has published, and warm them up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

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


def load_artefacts(
    *,
    bundles: Path,
    snapshots: Path,
    public_key: Path | None = None,
    max_snapshot_age_days: int | None = None,
) -> LoadedArtefacts:
    """Load the published bundle and snapshot.

    With a key file, its owner must have signed both. `max_snapshot_age_days` is how far apart the
    data of both may end; None accepts any distance, which answers flag if it is long.

    Raises:
        ArtefactError: nothing is published, or an artefact is broken, changed or doesn't fit.
    """
    try:
        key = None if public_key is None else read_public_key(public_key)
        bundle = load_bundle(resolve(bundles), key)
        snapshot = OnlineSnapshot.open_verified(resolve(snapshots), key)
        served = LoadedArtefacts(bundle=bundle, snapshot=snapshot)
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
