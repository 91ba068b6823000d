"""Whether a snapshot can be refreshed: is all that it was made of still the same?"""

from __future__ import annotations

from collections.abc import Iterator

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
    """Return why no key's vector can be taken from an earlier snapshot, None if it can.

    Rows known at its moment must be the same, by their number and a digest of their values. The
    digests of another engine, or of another version of it, say nothing.
    """
    return next(_reasons(signals, catalogue, earlier), None)


def _reasons(signals: SignalRows, catalogue: Catalogue, earlier: OnlineSnapshot) -> Iterator[str]:
    about = earlier.about
    if about.catalogue_fingerprint != catalogue.fingerprint:
        yield "the features are declared or computed otherwise now"
    if about.horizons != signals.horizons:
        yield "the horizons are others now"
    if about.imputed != signals.dataset.imputed:
        yield "other tables are imputed now"
    engine = hash_engine(signals.dataset)
    if about.hashed_by != engine:
        yield f"its rows were hashed by {about.hashed_by}, and {engine} may hash them otherwise"
    elif others := _other_tables(signals, about):
        yield (
            f"rows known on {about.as_of:%Y-%m-%d} have come, gone or changed since in "
            f"{join_names(others, limit=5)}"
        )
    yield from _other_keys(signals, earlier)


def _other_tables(signals: SignalRows, about: SnapshotAbout) -> list[str]:
    """Return the tables whose rows known at a snapshot's moment aren't those it was made of."""
    now = digest_tables(signals.dataset, as_of_to_day(about.as_of))
    then = {
        name: TableDigest(rows, about.row_digests.get(name, ""))
        for name, rows in about.known_rows.items()
    }
    return [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]


def _other_keys(signals: SignalRows, earlier: OnlineSnapshot) -> Iterator[str]:
    """Yield where a product or listing is gone, or belongs to other keys."""
    products = product_facts(signals.dataset)
    then = earlier.products(products)
    known = sum(facts is not None for facts in then)
    same = sum(facts == now for facts, now in zip(then, products.values(), strict=True))
    if not known == same == earlier.about.levels[Level.PRODUCT].keys:
        yield "products are gone, or have another category or supplier"
    listings = listing_facts(signals, as_of_to_day(earlier.as_of))
    was = earlier.listings(listings)
    known = sum(facts is not None for facts in was)
    same = sum(facts == now for facts, now in zip(was, listings.values(), strict=True))
    if not known == same == earlier.about.levels[Level.LISTING].keys:
        yield "listings are gone, or are of another product, market or creator"
