"""Check features without a reference: bounds and nulls, as functions of a matrix of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.catalogue.catalogue import Catalogue
from features.catalogue.describe import format_bounds
from features.catalogue.lineage import all_declarations, varying_level
from features.declarations.kinds import FeatureDeclaration
from features.declarations.levels import Level
from features.monitoring.reference_stats import ColumnStats
from features.monitoring.report import (
    MAX_EXAMPLES,
    CheckKind,
    CheckReport,
    Example,
    Finding,
    Severity,
    keep_worst,
)
from features.runtime.arrays import FloatArray

Reference = Mapping[str, ColumnStats]


@dataclass(frozen=True, kw_only=True)
class CheckedRows:
    """The rows to check: `matrix` has shape (rows, declarations) in the order of the catalogue.

    `keys` holds the number of each row's key at each level, shape (rows,). `left_out` names
    features that could not be computed, `absent` features whose tables are missing.
    """

    catalogue: Catalogue
    matrix: FloatArray
    listing_ids: Sequence[str]
    keys: Mapping[Level, npt.NDArray[np.int64]]
    left_out: AbstractSet[str] = frozenset()
    absent: AbstractSet[str] = frozenset()

    def columns(self) -> Iterator[tuple[FeatureDeclaration, FloatArray]]:
        """Yield each declaration with its column, except for features left out."""
        for declared, column in zip(all_declarations(self.catalogue), self.matrix.T, strict=True):
            if declared.name not in self.left_out:
                yield declared, column

    def inputs(self) -> Iterator[tuple[FeatureDeclaration, FloatArray]]:
        """Yield each model input with its column: a reference holds nothing else."""
        return (pair for pair in self.columns() if pair[0].is_input)

    def count_subjects(self, declared: FeatureDeclaration, among: npt.NDArray[np.bool_]) -> int:
        """Return how many independent values a column can have among some rows.

        This is the number of keys of its level there: weekly rows of one listing are not
        independent, and all listings of a market share the market's value.
        """
        keys = self.keys[varying_level(self.catalogue, declared)]
        return len(np.unique(keys[among]))


def check_bounds(rows: CheckedRows) -> CheckReport:
    """Find values outside their declared bounds, and infinite values."""
    findings = []
    for declared, column in rows.columns():
        low, high = declared.low, declared.high
        outside = np.isinf(column)
        outside |= False if low is None else column < low
        outside |= False if high is None else column > high
        count = int(outside.sum())
        if count:
            examples = np.flatnonzero(outside)[:MAX_EXAMPLES]
            findings.append(
                Finding(
                    subject=declared.name,
                    severity=Severity.ALARM,
                    size=count,
                    says=f"{count:,} of {column.size:,} values are not {format_bounds(declared)}",
                    examples=tuple(
                        Example(rows.listing_ids[row], float(column[row])) for row in examples
                    ),
                )
            )
    return keep_worst(
        CheckKind.BOUNDS, len(list(rows.columns())), findings, _omission_remarks(rows)
    )


def check_all_null(rows: CheckedRows, reference: Reference | None) -> CheckReport:
    """Find model inputs that are null in all rows although their tables are present.

    An input that was null in the whole reference too is not reported. Without a reference, a
    finding is only a notice: a share over a year is null before the first year ends.
    """
    judged = [
        (declared, column) for declared, column in rows.inputs() if declared.name not in rows.absent
    ]
    findings = [
        Finding(
            subject=declared.name,
            severity=Severity.NOTICE if reference is None else Severity.ALARM,
            size=column.size,
            says=f"null in all {column.size:,} rows, although its tables are present",
        )
        for declared, column in judged
        if np.isnan(column).all()
        and (reference is None or reference[declared.name].missing_share < 1)
    ]
    remarks = [f"{len(rows.absent):,} features lack a table."] if rows.absent else []
    return keep_worst(CheckKind.ALL_NULL, len(judged), findings, remarks)


def _omission_remarks(rows: CheckedRows) -> list[str]:
    if not rows.left_out:
        return []
    return [
        f"{len(rows.left_out):,} pooled features are left out: their parameters are in a bundle."
    ]
