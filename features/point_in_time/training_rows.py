"""Training rows: spine, base features and labels joined, one row a listing and moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.dataset.dataset import Dataset
from features.declarations.kinds import BaseFeature
from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.targets import TARGETS, Target
from features.point_in_time.batches import split_moments
from features.point_in_time.interpreter import fill_missing, has_signals, level_values
from features.point_in_time.joins import left_join
from features.point_in_time.labels import labels_looking_ahead
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.spine import build_spine
from features.point_in_time.visibility import AS_OF
from features.signals.signal import Keys

CUT_OFF: Final = b"cut_off_day"
IMPUTED: Final = b"imputed"
FINGERPRINT: Final = b"catalogue_fingerprint"
DIGEST: Final = b"dataset_digest"
LABELLED: Final = b"labelled_targets"

OUTCOME_TABLES: Final[Mapping[Target, str]] = {"sell_through": "orders", "return_risk": "returns"}
"""The table without which nothing can be known of a target's outcome."""


def feature_rows(signals: SignalRows, catalogue: Catalogue, spine: ir.Table) -> ir.Table:
    """Return `spine` with every base feature of the catalogue.

    `spine` holds listing_id, as_of_day and the keys of all levels. Each level is computed once
    for its distinct keys and moments, and stored, before it is joined.
    """
    parts = []
    for level in Level:
        keys = (*LEVEL_KEYS[level], AS_OF)
        distinct = signals.compute(_select_distinct, spine, names=keys)
        parts.append((_compute_level(signals, catalogue.at_level(level), distinct), keys))
    absent = {feature.name for feature in catalogue.base if not has_signals(signals, feature)}

    def columns(found: Mapping[str, ir.Value]) -> dict[str, ir.Value]:
        # A row without the key of a level (no supplier, no creator) has what an unknown key has.
        features = (feature for level in Level for feature in catalogue.at_level(level))
        return {
            f.name: fill_missing(f, None if f.name in absent else found[f.name]) for f in features
        }

    return left_join(spine, parts, columns)


def _select_distinct(rows: ir.Table, names: Keys) -> ir.Table:
    return rows.select(*names).distinct()


def _compute_level(
    signals: SignalRows, features: Sequence[BaseFeature], keys: ir.Table
) -> ir.Table:
    """Return a level's values for the rows of `keys`, computed a part of the moments at a time."""
    spans = split_moments(signals, keys)
    asked = [signals.store(one.filter_rows(keys)) for one in spans] if len(spans) > 1 else [keys]
    parts = [level_values(signals, features, some) for some in asked]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def build_training_rows(signals: SignalRows, catalogue: Catalogue) -> pa.Table:
    """Return the training rows, sorted by moment and listing.

    Columns: the spine's, every base feature (float64), the labels. The schema's metadata holds
    the cut-off day, the tables that were imputed, the data set's digest, the catalogue's
    fingerprint and the targets that the data can have labels of.
    """
    dataset = signals.dataset
    spine = signals.store(build_spine(signals))
    labels = signals.store(labels_looking_ahead(signals, spine))
    rows = feature_rows(signals, catalogue, spine)
    names = [name for name in labels.columns if name not in {"listing_id", AS_OF}]
    rows = rows.left_join(labels, ["listing_id", AS_OF]).select(*rows.columns, *names)
    parts = [
        moments.filter_rows(rows).order_by(AS_OF, "listing_id")
        for moments in split_moments(signals, spine)
    ]
    table = pa.concat_tables([dataset.connection.to_pyarrow(part) for part in parts])
    return table.replace_schema_metadata(
        {
            CUT_OFF: str(dataset.cut_off_day()),
            IMPUTED: ",".join(dataset.imputed),
            FINGERPRINT: catalogue.fingerprint,
            DIGEST: dataset.digest,
            LABELLED: ",".join(find_labelled_targets(dataset)),
        }
    )


def find_labelled_targets(dataset: Dataset) -> tuple[Target, ...]:
    """Return the targets whose outcomes the data hold a table of, whatever is in it."""
    return tuple(target for target in TARGETS if dataset.has(OUTCOME_TABLES[target]))
