"""Count the cells that mean something else than they say, so that reports can warn of them."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from features.cells.casting import CastGroup, cast_group, find_unread
from features.cells.text_columns import count_missing_words, count_whole_floats
from features.contract.columns import Table, is_identifier

MISSING_WORD: Final = "words such as NULL, read as missing"
WHOLE_FLOAT: Final = "identifiers that end in .0, read without it"


def count_mended(table: Table, cells: pa.Table, typed: pa.Table) -> Counter[tuple[str, str]]:
    """Count the cells by column and by what was mended; `typed` comes from `cast_cells`."""
    counts: Counter[tuple[str, str]] = Counter()
    for name, column in table.columns.items():
        has_text = name in cells.column_names and _is_text(cells[name])
        if has_text and typed[name].null_count > cells[name].null_count:
            missing = cells[name].filter(find_unread(cells[name], typed[name]))
            counts[name, MISSING_WORD] += count_missing_words(missing)
        if has_text and is_identifier(column) and _differs(cells[name], typed[name]):
            counts[name, WHOLE_FLOAT] += count_whole_floats(cells[name])
    return +counts


def _is_text(column: pa.ChunkedArray) -> bool:
    return cast_group(column.type) is CastGroup.TEXT


def _differs(cells: pa.ChunkedArray, typed: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.not_equal(cells.cast(pa.string()), typed)).as_py())
