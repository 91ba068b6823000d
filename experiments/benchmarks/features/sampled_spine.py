"""Some moments out of a spine, so that cost is measured for a known number of rows."""

from __future__ import annotations

import ibis.expr.types as ir

from features.point_in_time.visibility import AS_OF


def sample_spine(spine: ir.Table, rows: int) -> ir.Table:
    """Return so many rows of a spine, the same ones each time, spread over listings and moments.

    Single moments, not whole listings: then the wide levels keep almost all their keys and
    moments, and no event can be left unread.
    """
    place = (spine.listing_id + "@" + spine[AS_OF].cast("string")).hash()
    return spine.order_by(place, AS_OF, "listing_id").limit(rows)
