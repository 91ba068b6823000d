"""Decide whether a snapshot can be refreshed: whatever it was made from must be unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from features.catalogue.catalogue import Catalogue
from features.dataset.days import as_of_to_day
from features.dataset.row_digests import TableDigest, digest_tables, hash_engine
from features.declarations.levels import Level
from features.online.contents import SnapshotAbout
from features.online.snapshot import OnlineSnapshot
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.snapshot_values import listing_facts, product_facts
from features.runtime.text import join_names


def why_full(signals: SignalRows, catalogue: Catalogue, earlier: OnlineSnapshot) -> str | None:
    """Return why all keys must be computed again, None if an earlier snapshot can be refreshed.

    The rows known at its moment must be the same: their number and a digest of their values are
    compared. Digests of another engine, or of another version of it, can't be compared.
    """
    return next(_reasons(signals, catalogue, earlier), None)


def _reasons(signals: SignalRows, catalogue: Catalogue, earlier: OnlineSnapshot) -> Iterator[str]:
    about = earlier.about
    if about.catalogue_fingerprint != catalogue.fingerprint:
        yield "the features, or the code that computes them, have changed"
    if about.horizons != signals.horizons:
        yield "the horizons have changed"
    if about.imputed != signals.dataset.imputed:
        yield "the set of imputed tables has changed"
    engine = hash_engine(signals.dataset)
    if about.hashed_by != engine:
        yield f"its rows were hashed by {about.hashed_by}; {engine} may hash them differently"
    elif tables := _find_changed_tables(signals, about):
        yield (
            f"rows known on {about.as_of:%Y-%m-%d} were added, removed or changed since in "
            f"{join_names(tables, limit=5)}"
        )
    yield from _explain_changed_facts(signals, earlier)


def _find_changed_tables(signals: SignalRows, about: SnapshotAbout) -> list[str]:
    """Return the tables whose rows known at a snapshot's moment differ from its own."""
    now = digest_tables(signals.dataset, as_of_to_day(about.as_of))
    then = {
        name: TableDigest(rows, about.row_digests.get(name, ""))
        for name, rows in about.known_rows.items()
    }
    return [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]


def _explain_changed_facts(signals: SignalRows, earlier: OnlineSnapshot) -> Iterator[str]:
    """Yield a reason if products or listings were removed, or their facts changed."""
    keys = {level: about.keys for level, about in earlier.about.levels.items()}
    products = product_facts(signals.dataset)
    if not _are_same(earlier.products(products), products.values(), keys[Level.PRODUCT]):
        yield "products were removed, or have another category or supplier"
    listings = listing_facts(signals, as_of_to_day(earlier.as_of))
    if not _are_same(earlier.listings(listings), listings.values(), keys[Level.LISTING]):
        yield "listings were removed, or have another product, market or creator"


def _are_same(
    earlier: Sequence[NamedTuple | None], current: Iterable[NamedTuple], count: int
) -> bool:
    """Return whether all `count` earlier facts are among the current ones, unchanged."""
    known = sum(facts is not None for facts in earlier)
    same = sum(facts == now for facts, now in zip(earlier, current, strict=True))
    return known == same == count
