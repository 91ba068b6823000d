"""Read times in text: ISO 8601 with an offset, UTC, or a zone such as Asia/Shanghai."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.cells.text_columns import trim_blanks

_UNUSUAL: Final = r"[^0-9T:.+Z /-]|:[0-9.]+[+-](1[6-9]|[2-9][0-9])"
"""Letters of a zone, offsets of 16 hours or more, and anything else that DuckDB would read its way.
"""
_PARTS: Final = (
    r"^(?P<local>\d{4}[-/]\d{1,2}[-/]\d{1,2}"
    r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)(?P<zone>.*)$"
)
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
_UTC: Final = frozenset({"", "Z", "UTC", "GMT"})
_MAX_OFFSET_HOURS: Final = 15

_PLAIN_TIMES: Final = (
    "CASE WHEN isfinite(TRY_CAST(cell AS TIMESTAMPTZ))"
    " THEN TRY_CAST(cell AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END AS cell"
)
"""The connection's time zone is UTC, so that a text without a zone counts as UTC."""
_ZONE_NAMES: Final = "SELECT name FROM pg_timezone_names() WHERE contains(name, '/')"
_LOCAL: Final = "TRY_CAST(local AS TIMESTAMP) AS local, minutes, region"
_SHIFTED: Final = """
CASE
    WHEN region IS NULL THEN local - to_minutes(minutes)
    -- A time that the zone skipped in spring comes back as another time.
    WHEN local AT TIME ZONE region AT TIME ZONE region = local
    THEN local AT TIME ZONE region AT TIME ZONE 'UTC'
END AS cell
"""


class Zone(NamedTuple):
    """A zone as minutes east of UTC, or as the name of a region; both are None if unknown."""

    minutes: int | None = None
    region: str | None = None


def read_times(connection: duckdb.DuckDBPyConnection, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of texts as naive UTC times in microseconds; else null.

    A time without a zone counts as UTC. Where a region's clocks show a time twice in autumn, the
    later one is taken, because an event may be known late but never early. A time that they skip
    in spring is null. Letters such as CST are null: they mean several zones.
    """
    plain = connection.from_arrow(pa.table({"cell": column})).project(_PLAIN_TIMES)
    times = plain.to_arrow_table()["cell"]
    unusual = pc.fill_null(pc.match_substring_regex(column, _UNUSUAL), fill_value=False)
    is_rest = pc.or_(unusual, pc.and_(pc.is_null(times), pc.is_valid(column)))
    if not pc.any(is_rest).as_py():
        return times
    rest = _read_zoned(connection, trim_blanks(column.filter(is_rest)).combine_chunks())
    return pc.replace_with_mask(times.combine_chunks(), is_rest.combine_chunks(), rest)


def _read_zoned(connection: duckdb.DuckDBPyConnection, texts: pa.Array) -> pa.Array:
    """Return texts with any zone that is known as times."""
    parts = pc.extract_regex(texts, _PARTS)
    local, zones = pc.struct_field(parts, "local"), pc.struct_field(parts, "zone")
    regions = {name for (name,) in connection.execute(_ZONE_NAMES).fetchall()}
    known = pc.unique(zones)
    read = [read_zone(zone, regions) for zone in known.to_pylist()]
    place = pc.index_in(zones, value_set=known)
    table = pa.table(
        {
            "local": local,
            "minutes": pa.array([zone.minutes for zone in read], pa.int64()).take(place),
            "region": pa.array([zone.region for zone in read], pa.string()).take(place),
        }
    )
    shifted = connection.from_arrow(table).project(_LOCAL).project(_SHIFTED).to_arrow_table()
    return shifted["cell"].combine_chunks()


def read_zone(text: str | None, regions: set[str]) -> Zone:
    """Return what a zone behind a time means.

    >>> read_zone(" -0500", set()), read_zone("GMT+8", set())
    (Zone(minutes=-300, region=None), Zone(minutes=480, region=None))
    """
    name = (text or "").strip(" ")
    if name.upper() in _UTC:
        return Zone(minutes=0)
    if name in regions:
        return Zone(region=name)
    offset = _OFFSET.fullmatch(name)
    if offset is None or int(offset[2]) > _MAX_OFFSET_HOURS:
        return Zone()
    minutes = int(offset[2]) * 60 + int(offset[3] or 0)
    return Zone(minutes=-minutes if offset[1] == "-" else minutes)
