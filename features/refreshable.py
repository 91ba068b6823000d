"""Whether a snapshot can be refreshed: is all that it was made of still the same?"""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue import Catalogue
from features.days import as_of_to_day
from features.levels import Level
from features.online import OnlineSnapshot
from features.signal_rows import SignalRows
from features.snapshot_contents import known_rows, listing_facts, product_facts
from features.wording import listed


def reason_for_all(
    signals: SignalRows, catalogue: Catalogue, earlier: OnlineSnapshot
) -> str | None:
    """Return why no key's vector can be taken from an earlier snapshot, None if it can.

    Rows known at its moment are counted, not compared: values changed in place show only where
    they are keys.
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
    counts = known_rows(signals.dataset, as_of_to_day(about.as_of))
    names = sorted({*counts, *about.known_rows})
    others = [name for name in names if counts.get(name) != about.known_rows.get(name)]
    if others:
        yield f"the rows known on {about.as_of:%Y-%m-%d} are others now in {listed(others, most=5)}"
    yield from _other_keys(signals, earlier)


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
