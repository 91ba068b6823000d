"""Load what a run directory has published, prove it sound and warm it up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from features.online.files import verify_snapshot
from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import ArtefactError
from features.runtime.pointer import resolve
from serving.bundle.bundle import Bundle, load_bundle
from serving.bundle.signature import read_public_key
from serving.scoring.candidates import DEFAULT_COVERAGE, MAX_CANDIDATES, Candidate
from serving.scoring.score import check_pair, score

WARM_UP_SIZES: Final = (1, MAX_CANDIDATES)


class UnreadableError(ArtefactError):
    """Refuse artefacts that the system won't let us read."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            expected="a bundle and a snapshot that can be read",
            found=error.strerror or type(error).__name__,
            way_out="Check the run directory and who may read it.",
        )


@dataclass(frozen=True)
class LoadedArtefacts:
    """A bundle and a snapshot that belong together, verified and ready to score."""

    bundle: Bundle
    snapshot: OnlineSnapshot


def load_artefacts(
    *, bundles: Path, snapshots: Path, public_key: Path | None = None
) -> LoadedArtefacts:
    """Load the published bundle and snapshot; with a key file, only a bundle signed by it.

    Raises:
        ArtefactError: nothing is published, or it isn't what it claims to be.
    """
    try:
        key = None if public_key is None else read_public_key(public_key)
        bundle = load_bundle(resolve(bundles), key)
        directory = resolve(snapshots)
        verify_snapshot(directory)
        served = LoadedArtefacts(bundle=bundle, snapshot=OnlineSnapshot.open(directory))
    except OSError as error:
        raise UnreadableError(error) from error
    check_pair(served.bundle, served.snapshot)
    warm_up(served)
    return served


def warm_up(served: LoadedArtefacts) -> None:
    """Score candidates of every market once, so that no request pays for what is done once."""
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
