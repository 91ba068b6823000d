"""Sample a spine, so that cost is measured for a known number of rows."""

from __future__ import annotations

import ibis.expr.types as ir

from features.point_in_time.visibility import AS_OF


def sample_spine(spine: ir.Table, rows: int) -> ir.Table:
    """Return `rows` rows of a spine, the same ones each time, spread over listings and moments.

    Single moments are sampled and not whole listings: then the wide levels keep almost all their
    keys and moments, and no event can be left unread.
    """
    position = (spine.listing_id + "@" + spine[AS_OF].cast("string")).hash()
    return spine.order_by(position, AS_OF, "listing_id").limit(rows)
