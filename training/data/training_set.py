"""Read training rows into memory: columns as arrays, keys as codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.declarations.levels import LEVEL_KEYS, NULLABLE_KEYS, Level
from features.declarations.targets import TARGETS, Target
from features.point_in_time.training_rows import CUT_OFF, DIGEST, FINGERPRINT, IMPUTED, LABELLED
from features.point_in_time.visibility import AS_OF
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cells import IntervalContext, cell_codes, is_cold_start, leaf_cells
from training.errors import CatalogueMismatchError, MissingColumnsError, MissingKeysError

KEYS: Final = tuple(dict.fromkeys(key for level in Level for key in LEVEL_KEYS[level]))
UNITS_ORDERED: Final = "units_ordered_label"


@dataclass(frozen=True)
class EncodedColumn:
    """A text column as positions in its distinct values; `codes` has shape (rows,), null is -1."""

    codes: IntArray
    names: tuple[str, ...]


@dataclass(frozen=True)
class TargetOutcome:
    """A target's label, weight and maturity for each row, each of shape (rows,).

    A weight is as it was read; `Sample.limit_weight` is for what learns from it, or judges by it.
    """

    label: FloatArray
    weight: FloatArray
    is_mature: BoolArray


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Training rows, each array of shape (rows,), and facts about the data set they are from."""

    columns: Mapping[str, FloatArray]
    """Base features and request fields by name, null as NaN."""
    as_of_day: IntArray
    keys: Mapping[str, EncodedColumn]
    """Key columns of all levels, by name."""
    outcomes: Mapping[Target, TargetOutcome]
    """Outcomes of the targets that the data have labels of, in the order of `TARGETS`."""
    masked: IntArray
    """Which history is masked (`Masked` in cold_start_rows.py); 0 in the rows that were read."""
    cut_off_day: int
    imputed: tuple[str, ...]
    digest: str

    @property
    def rows(self) -> IntArray:
        """Return the positions of all rows, copies included."""
        return np.arange(self.masked.size)

    @cached_property
    def is_cold(self) -> BoolArray:
        """Return True for rows whose listing has no history of its own."""
        return is_cold_start(self.columns)

    @property
    def listings(self) -> IntArray:
        """Return the code of each row's listing."""
        return self.keys["listing_id"].codes

    def row_markets(self, rows: IntArray) -> tuple[str, ...]:
        """Return the market of each of `rows`."""
        markets = self.keys["market"]
        return tuple(markets.names[code] for code in markets.codes[rows].tolist())

    def context(self, exposure: FloatArray) -> IntervalContext:
        """Return the rows' interval context; `exposure` is the units that each share is of."""
        markets = self.keys["market"]
        return IntervalContext(
            cell_codes(self.columns, markets.codes), leaf_cells(markets.names), exposure
        )


def read_training_set(table: pa.Table, catalogue: Catalogue) -> TrainingSet:
    """Read the table that `features.point_in_time.training_rows` built.

    Raises:
        CatalogueMismatchError: the rows were built from another catalogue.
        MissingColumnsError: a column is missing.
        MissingKeysError: a row has no listing, product, category, market or moment.
    """
    metadata = table.schema.metadata or {}
    fingerprint = metadata.get(FINGERPRINT, b"").decode()
    if fingerprint != catalogue.fingerprint:
        raise CatalogueMismatchError(expected=catalogue.fingerprint, actual=fingerprint)
    inputs = [declared.name for declared in (*catalogue.request_fields, *catalogue.base)]
    _refuse_missing(table, inputs)
    labelled = metadata[LABELLED].decode().split(",")
    return TrainingSet(
        columns={name: _float_column(table, name) for name in inputs},
        as_of_day=table[AS_OF].to_numpy().astype(np.int64),
        keys={name: _encode(table, name) for name in KEYS},
        outcomes={target: _read_outcome(table, target) for target in TARGETS if target in labelled},
        masked=np.zeros(table.num_rows, np.int64),
        cut_off_day=int(metadata[CUT_OFF]),
        imputed=tuple(filter(None, metadata[IMPUTED].decode().split(","))),
        digest=metadata[DIGEST].decode(),
    )


def _refuse_missing(table: pa.Table, inputs: list[str]) -> None:
    labels = [*TARGETS, *(f"{target}_is_mature" for target in TARGETS), UNITS_ORDERED]
    needed = (*KEYS, AS_OF, *inputs, *labels)
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise MissingColumnsError(missing)
    for name in (*KEYS, AS_OF):
        if name not in NULLABLE_KEYS and table[name].null_count:
            raise MissingKeysError(name, table[name].null_count)


def _float_column(table: pa.Table, name: str) -> FloatArray:
    values: FloatArray = table[name].cast(pa.float64()).to_numpy()
    return values


def _encode(table: pa.Table, name: str) -> EncodedColumn:
    encoded: Any = table[name].combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return EncodedColumn(codes, tuple(encoded.dictionary.to_pylist()))


def _read_outcome(table: pa.Table, target: Target) -> TargetOutcome:
    label = _float_column(table, target)
    # A sell-through is the result of one decision: every decision counts the same, whatever its
    # lot. A return risk is a share of ordered units: every unit counts the same.
    weight = _float_column(table, UNITS_ORDERED) if target == "return_risk" else np.ones_like(label)
    return TargetOutcome(label, weight, table[f"{target}_is_mature"].to_numpy().astype(np.bool_))
