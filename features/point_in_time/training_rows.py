"""Build training rows: spine, base features and labels, one row a listing and moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import ibis
import ibis.expr.types as ir
import msgspec
import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.dataset.dataset import Dataset
from features.declarations.kinds import BaseFeature
from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.targets import TARGETS, Target
from features.point_in_time.batches import split_moments
from features.point_in_time.interpreter import feature_columns, level_values
from features.point_in_time.joins import left_join
from features.point_in_time.labels import labels_looking_ahead
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.spine import build_spine
from features.point_in_time.visibility import AS_OF

CUT_OFF: Final = b"cut_off_day"
ORDER_DAYS: Final = b"order_days"
"""The days that orders cover and the orders outside, as JSON of `CoveredDays`."""
IMPUTED: Final = b"imputed"
FINGERPRINT: Final = b"catalogue_fingerprint"
DIGEST: Final = b"dataset_digest"
LABELLED: Final = b"labelled_targets"

OUTCOME_TABLES: Final[Mapping[Target, str]] = {"sell_through": "orders", "return_risk": "returns"}
"""The table that each target's outcome comes from."""


def feature_rows(signals: SignalRows, catalogue: Catalogue, spine: ir.Table) -> ir.Table:
    """Return `spine` with every base feature of the catalogue.

    `spine` holds listing_id, as_of_day and the keys of all levels. Each level is computed once for
    its distinct keys and moments, and then joined. A row without the key of a level (no supplier,
    no creator) gets the values of an unknown key.
    """
    parts = []
    for level in Level:
        keys = (*LEVEL_KEYS[level], AS_OF)
        distinct = signals.store(spine.select(*keys).distinct())
        parts.append((_compute_level(signals, catalogue.at_level(level), distinct), keys))
    joined = left_join(spine, parts)
    by_level = [feature for level in Level for feature in catalogue.at_level(level)]
    return joined.select(*spine.columns, **feature_columns(signals, by_level, joined))


def _compute_level(
    signals: SignalRows, features: Sequence[BaseFeature], keys: ir.Table
) -> ir.Table:
    """Return a level's values for the rows of `keys`, computed a batch of moments at a time."""
    batches = split_moments(signals, keys)
    if len(batches) == 1:
        return level_values(signals, features, keys)
    parts = [
        level_values(signals, features, signals.store(batch.filter_rows(keys))) for batch in batches
    ]
    return ibis.union(*parts)


def build_training_rows(signals: SignalRows, catalogue: Catalogue) -> pa.Table:
    """Return the training rows, sorted by moment and listing.

    Columns: those of the spine, every base feature (float64), the labels. The schema's metadata
    hold the cut-off day, the days that orders cover, the imputed tables, the digest of the data
    set, the catalogue's fingerprint and the targets with labels.
    """
    dataset = signals.dataset
    order_days = dataset.order_days()
    spine = signals.store(build_spine(signals))
    labels = signals.store(labels_looking_ahead(signals, spine))
    rows = feature_rows(signals, catalogue, spine)
    names = [name for name in labels.columns if name not in {"listing_id", AS_OF}]
    rows = rows.left_join(labels, ["listing_id", AS_OF]).select(*rows.columns, *names)
    parts = [
        batch.filter_rows(rows).order_by(AS_OF, "listing_id")
        for batch in split_moments(signals, spine)
    ]
    table = pa.concat_tables([dataset.connection.to_pyarrow(part) for part in parts])
    return table.replace_schema_metadata(
        {
            CUT_OFF: str(order_days.cut_off_day),
            ORDER_DAYS: msgspec.json.encode(order_days.covered),
            IMPUTED: ",".join(dataset.imputed),
            FINGERPRINT: catalogue.fingerprint,
            DIGEST: dataset.digest,
            LABELLED: ",".join(find_labelled_targets(dataset)),
        }
    )


def find_labelled_targets(dataset: Dataset) -> tuple[Target, ...]:
    """Return the targets whose outcome table is in the data, even if it is empty."""
    return tuple(target for target in TARGETS if dataset.has(OUTCOME_TABLES[target]))
