"""Compare logged decisions with their replay: the bits, and the verdicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from features.runtime.arrays import BoolArray, FloatArray
from serving.decision_log.columns import RESULT

MAX_EXAMPLES: Final = 50
"""Rows of a kind that the report shows; all are counted."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """A candidate is worth offering if its estimates keep both bounds.

    A return risk that isn't predicted keeps every bound.
    """

    min_sell_through: float = 0.5
    max_return_risk: float = 0.2

    def judge(self, rows: pa.RecordBatch) -> BoolArray:
        """Return the verdict of each row."""
        risk = to_floats(rows, "return_risk")
        is_sold = to_floats(rows, "sell_through") >= self.min_sell_through
        verdict: BoolArray = is_sold & ~(risk > self.max_return_risk)
        return verdict


class Estimates(msgspec.Struct, frozen=True):
    """The estimates of a candidate; null if not predicted."""

    sell_through: float
    return_risk: float | None


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A row whose verdict flips, or that isn't repeated."""

    chain: str
    sequence: int
    time: str
    product_id: str
    market: str
    list_price_minor: int
    currency: str
    units_offered: int
    logged: Estimates
    replayed: Estimates | None
    """None if the replay refuses the candidate."""
    note: str
    """What became of the verdict, the columns that differ, or the code of the refusal."""

    @property
    def change(self) -> float:
        """Return how far the estimates moved."""
        if self.replayed is None:
            return 0.0
        risks = (self.replayed.return_risk or 0.0) - (self.logged.return_risk or 0.0)
        return abs(self.replayed.sell_through - self.logged.sell_through) + abs(risks)


class Group(msgspec.Struct, kw_only=True):
    """The counts of the rows that one bundle and one snapshot had scored."""

    bundle_id: str
    snapshot_id: str
    replayed_on: str
    """The snapshot of the replay."""
    must_repeat: bool
    """Whether bundle and snapshot are the logged ones, so that all bits must be the same."""
    rows: int = 0
    refused: int = 0
    differing: int = 0
    """Rows of which any bit differs."""
    became_worth: int = 0
    became_unworth: int = 0
    largest_change: float = 0.0
    """Of sell-through."""


@dataclass
class Tally:
    """What a replay has found so far; its size doesn't grow with the log."""

    bounds: Bounds
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    flips_of_market: dict[str, Counter[str]] = field(default_factory=dict)
    flips: list[Example] = field(default_factory=list)
    failures: list[Example] = field(default_factory=list)
    """Rows that had to be repeated and aren't."""

    def add_refusal(self, group: Group, chain: str, row: pa.RecordBatch, code: str) -> None:
        """Count a row that the replay refuses."""
        group.rows += 1
        group.refused += 1
        self.refusals[code] += 1
        if group.must_repeat and len(self.failures) < MAX_EXAMPLES:
            self.failures.append(build_example(chain, row, 0, None, code))

    def add(self, group: Group, chain: str, logged: pa.RecordBatch, replayed: pa.Table) -> None:
        """Count rows that the replay scored; both hold the same rows, in order."""
        group.rows += logged.num_rows
        differing = find_differences(logged, replayed)
        is_different = np.any(list(differing.values()), axis=0)
        group.differing += int(is_different.sum())
        change = to_floats(replayed, "sell_through") - to_floats(logged, "sell_through")
        group.largest_change = max(group.largest_change, float(np.abs(change).max()))
        self._add_flips(group, chain, logged, replayed)
        if group.must_repeat:
            for row in np.flatnonzero(is_different)[: MAX_EXAMPLES - len(self.failures)].tolist():
                names = ", ".join(name for name, differs in differing.items() if differs[row])
                self.failures.append(build_example(chain, logged, row, replayed, names))

    def _add_flips(
        self, group: Group, chain: str, logged: pa.RecordBatch, replayed: pa.Table
    ) -> None:
        before, after = self.bounds.judge(logged), self.bounds.judge(replayed)
        group.became_worth += int((after & ~before).sum())
        group.became_unworth += int((before & ~after).sum())
        markets = logged.column("market")
        for row in np.flatnonzero(before != after).tolist():
            note = "worth offering" if after[row] else "not worth offering"
            counts = self.flips_of_market.setdefault(markets[row].as_py(), Counter())
            counts[note] += 1
            self.flips.append(build_example(chain, logged, row, replayed, note))
        self.flips.sort(key=lambda flip: (-flip.change, flip.chain, flip.sequence))
        del self.flips[MAX_EXAMPLES:]


def find_differences(logged: pa.RecordBatch, replayed: pa.Table) -> dict[str, BoolArray]:
    """Return for each column of `RESULT` the rows in which any bit differs."""
    return {
        column.name: _to_bits(logged, column) != _to_bits(replayed, column) for column in RESULT
    }


def _to_bits(rows: pa.RecordBatch, column: pa.Field) -> np.ndarray:
    """Return a column so that equal means the same bits: 0.0 isn't -0.0; null is the one NaN."""
    if pa.types.is_floating(column.type):
        return to_floats(rows, column.name).view(np.int64)
    values = np.empty(rows.num_rows, dtype=object)
    values[:] = rows.column(column.name).to_pylist()
    return values


def to_floats(rows: pa.RecordBatch, name: str) -> FloatArray:
    """Return a column of floats, null as NaN."""
    values = rows.column(name).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(values, dtype=np.float64)


def build_example(
    chain: str, logged: pa.RecordBatch, row: int, replayed: pa.RecordBatch | None, note: str
) -> Example:
    """Return a row as an example."""
    (facts,) = logged.slice(row, 1).to_pylist()
    return Example(
        chain=chain,
        sequence=facts["sequence"],
        time=facts["time"].isoformat(timespec="seconds"),
        product_id=facts["product_id"],
        market=facts["market"],
        list_price_minor=facts["list_price_minor"],
        currency=facts["currency"],
        units_offered=facts["units_offered"],
        logged=_get_estimates(logged, row),
        replayed=None if replayed is None else _get_estimates(replayed, row),
        note=note,
    )


def _get_estimates(rows: pa.RecordBatch, row: int) -> Estimates:
    return Estimates(
        rows.column("sell_through")[row].as_py(), rows.column("return_risk")[row].as_py()
    )
