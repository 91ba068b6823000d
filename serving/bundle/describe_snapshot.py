"""Describe an online snapshot in a bounded number of facts and lines."""

from __future__ import annotations

from pathlib import Path

import msgspec

from features.online.files import SIGNATURE, derive_id, open_files
from features.runtime.text import escape, join_names


class SnapshotFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a snapshot that `xuanpin bundle inspect` shows."""

    snapshot_id: str
    format: int
    has_signature: bool
    """Whether snapshot.sig exists; it isn't checked."""
    as_of: str
    """The moment whose features it holds."""
    catalogue_fingerprint: str
    data_digest: str
    imputed: tuple[str, ...]
    horizons: dict[str, int]
    markets: dict[str, str]
    """Market to its currency."""
    keys: dict[str, int]
    """Level to the number of keys that have features."""
    bytes: int


def read_snapshot_facts(directory: Path) -> SnapshotFacts:
    """Verify a snapshot's files and return its facts.

    Raises:
        SnapshotRefusedError: it isn't a snapshot, or has changed.
    """
    with open_files(directory) as files:
        about = files.verify()
    return SnapshotFacts(
        snapshot_id=derive_id(files.description),
        format=about.format,
        has_signature=(directory / SIGNATURE).exists(),
        as_of=about.as_of.isoformat(),
        catalogue_fingerprint=about.catalogue_fingerprint,
        data_digest=about.dataset_digest,
        imputed=about.imputed,
        horizons=about.horizons.model_dump(),
        markets=about.markets,
        keys={level.value: described.keys for level, described in about.levels.items()},
        bytes=about.data.bytes,
    )


def format_snapshot(facts: SnapshotFacts) -> list[str]:
    """Return the facts as lines of bounded number and length, without control characters."""
    return [
        f"Snapshot   {facts.snapshot_id}, format {facts.format}",
        f"Signature  {'present, not checked' if facts.has_signature else 'none'}",
        f"As of      {facts.as_of}",
        f"For        catalogue {escape(facts.catalogue_fingerprint)[:16]}…",
        f"Data       {escape(facts.data_digest)[:16]}…",
        f"Imputed    {join_names(facts.imputed)}",
        f"Horizons   {join_names(f'{name} {days}' for name, days in facts.horizons.items())}",
        f"Markets    {join_names(facts.markets)}",
        f"Keys       {join_names(f'{level} {count:,}' for level, count in facts.keys.items())}",
        f"Size       {facts.bytes:,} bytes",
    ]
