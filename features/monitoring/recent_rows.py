"""Compute the rows that a check of values looks at, in the same way as training rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.catalogue.lineage import all_declarations, sources
from features.dataset.days import DaySpan, to_date
from features.declarations.levels import LEVEL_KEYS, Level
from features.monitoring.value_checks import CheckedRows
from features.point_in_time.interpreter import has_signals
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.spine import build_spine
from features.point_in_time.training_rows import feature_rows
from features.point_in_time.visibility import AS_OF
from features.runtime.arrays import FloatArray
from features.runtime.errors import DataError


class NothingOnSaleError(DataError):
    """Refuse to check days on which no listing had units to sell."""

    def __init__(self, span: DaySpan) -> None:
        super().__init__(
            problem=f"No listing had units on sale from {to_date(span.first)} to "
            f"{to_date(span.last)}.",
            hint="Name another day with --as-of, or look further back with --days.",
        )


def recent_rows(
    signals: SignalRows, catalogue: Catalogue, span: DaySpan, parameters: Mapping[str, float] | None
) -> CheckedRows:
    """Compute the model inputs of all decisions within a span.

    Without `parameters`, features that need them are left out.

    Raises:
        NothingOnSaleError: there is no decision within the span.
    """
    spine = build_spine(signals)
    spine = spine.filter(spine[AS_OF] >= span.first, spine[AS_OF] <= span.last)
    rows = feature_rows(signals, catalogue, signals.store(spine))
    table = signals.dataset.connection.to_pyarrow(rows.order_by(AS_OF, "listing_id"))
    if table.num_rows == 0:
        raise NothingOnSaleError(span)
    names = [declared.name for declared in (*catalogue.request_fields, *catalogue.base)]
    unknown = dict.fromkeys(catalogue.parameters, float("nan"))
    return CheckedRows(
        catalogue=catalogue,
        matrix=catalogue.value_matrix(
            {name: _floats(table, name) for name in names}, parameters or unknown
        ),
        listing_ids=table["listing_id"].to_pylist(),
        keys={level: number_keys(table, level) for level in Level},
        left_out=_features_with_parameters(catalogue) if parameters is None else frozenset(),
        absent=_absent_features(signals, catalogue),
    )


def _features_with_parameters(catalogue: Catalogue) -> frozenset[str]:
    return frozenset(feature.name for feature in catalogue.derived if feature.parameters)


def _absent_features(signals: SignalRows, catalogue: Catalogue) -> frozenset[str]:
    """Return the features without one of their tables, directly or through an input."""
    lacking = {feature.name for feature in catalogue.base if not has_signals(signals, feature)}
    return frozenset(
        declared.name
        for declared in all_declarations(catalogue)
        if any(source.name in lacking for source in sources(catalogue, declared))
    )


def number_keys(table: pa.Table, level: Level) -> npt.NDArray[np.int64]:
    """Return one number a key of a level: equal keys have equal numbers."""
    numbers = np.zeros(table.num_rows, dtype=np.int64)
    for name in LEVEL_KEYS[level]:
        codes = table[name].combine_chunks().dictionary_encode(null_encoding="encode").indices
        numbers = numbers * table.num_rows + codes.to_numpy()
    return numbers


def _floats(table: pa.Table, name: str) -> FloatArray:
    return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)
