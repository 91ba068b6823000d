"""The time rule: which events are visible at a moment.

An event is visible when `event_time <= as_of` and `available_at <= as_of`; an event that lasts must
also have `as_of < ends_at`. A visible event is in a window when `as_of - days < event_time`. Times
are compared as day numbers (features/dataset/days.py): the day of an event is the first midnight at
or after it, so events with equal key, day and day of knowledge can be added up before the
comparison. Events without `available_at` are removed earlier (`Dataset.knowable_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ibis.expr.types as ir

AS_OF: Final = "as_of_day"
END: Final = "end_day"
"""The day on which an event that lasts is over; null where no end is known."""


def event_key(key: str) -> str:
    """Return the name of an event's key column, which must differ from the row's key column."""
    return f"event_{key}"


def join_visible(rows: ir.Table, events: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Pair each row with the events of its key that had happened and were known at `as_of`.

    Events that last (with a column `END`) must also not have ended.
    """
    same_key = [rows[key] == events[event_key(key)] for key in keys]
    pairs = rows.inner_join(
        events,
        [
            *same_key,
            events.available_day <= rows[AS_OF],
            events.event_day <= rows[AS_OF],
        ],
    )
    if END not in events.columns:
        return pairs
    return pairs.filter(pairs[END].isnull() | (pairs[END] > pairs[AS_OF]))


def is_in_window(pairs: ir.Table, days: int) -> ir.BooleanValue:
    """Return True for visible events of the last `days` days."""
    return pairs.event_day > pairs[AS_OF] - days
