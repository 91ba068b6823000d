"""What `GET /v1/model` tells of the artefacts in use."""

from __future__ import annotations

import msgspec

from features.dataset.days import to_datetime
from serving.scoring.loading import LoadedArtefacts


class ModelAbout(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle and the snapshot in use, and how good the bundle was found to be."""

    bundle_id: str
    snapshot_id: str
    as_of: str
    """The moment at which the snapshot's data end, in UTC."""
    cut_off: str
    """The last day of the data that the bundle learned from."""
    markets: dict[str, str]
    """Market of the snapshot to its currency; those that models learned from are `learned`."""
    learned: list[str]
    targets: list[str]
    horizons: dict[str, int]
    imputed: list[str]
    """Tables that a rule made, because the data lacked them."""
    evaluation: dict[str, float]
    """Figures by dotted name, such as `sell_through.log_loss`, of the latest decisions, from which
    no model learned."""
    catalogue: str
    """Fingerprint of the features."""
    libraries: dict[str, str]
    card: str
    """The model card, Markdown."""


def describe_model(served: LoadedArtefacts) -> ModelAbout:
    """Return what is known of the artefacts in use."""
    bundle, about = served.bundle, served.snapshot.about
    manifest = bundle.manifest
    return ModelAbout(
        bundle_id=bundle.bundle_id,
        snapshot_id=served.snapshot.snapshot_id,
        as_of=served.snapshot.as_of.isoformat(),
        cut_off=to_datetime(manifest.cut_off_day).date().isoformat(),
        markets=dict(about.markets),
        learned=list(manifest.markets),
        targets=list(bundle.models.targets),
        horizons=bundle.horizons.model_dump(),
        imputed=sorted({*manifest.imputed, *about.imputed}),
        evaluation=dict(manifest.metrics),
        catalogue=manifest.catalogue_fingerprint,
        libraries=dict(manifest.libraries),
        card=bundle.model_card,
    )
