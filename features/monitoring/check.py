"""Check the values of a data set: compute recent rows, run every check, return one report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from features.catalogue.catalogue import Catalogue
from features.dataset.as_of import refuse_far_day
from features.dataset.dataset import Dataset
from features.dataset.days import DaySpan, to_date, to_datetime
from features.dataset.horizons import Horizons
from features.monitoring.bundle_reference import BundleReference
from features.monitoring.freshness import TableAge, compute_age, find_arrivals
from features.monitoring.recent_rows import recent_rows
from features.monitoring.reference_checks import check_drift, check_null_shares
from features.monitoring.report import (
    CheckKind,
    CheckReport,
    Finding,
    Severity,
    ValuesReport,
    keep_worst,
)
from features.monitoring.value_checks import CheckedRows, check_all_null, check_bounds
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import build_stored_rows

NO_REFERENCE: Final = "no bundle was given to compare with"


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """What to check: the moment, the days before it, and the reference.

    `as_of_day` is None for the cut-off day; `stale_after_days` is None for each table's usual gap.
    `horizons` are those of the reference, if there is one.
    """

    as_of_day: int | None
    days: int
    stale_after_days: int | None
    horizons: Horizons
    reference: BundleReference | None


def check_values(
    dataset: Dataset,
    catalogue: Catalogue,
    request: CheckRequest,
    progress: Callable[[str, int], None],
) -> ValuesReport:
    """Check the values that requests would use now.

    Rows end at the last complete day of the data, even if the moment is later; the age of tables is
    counted to the moment itself.

    Raises:
        NothingOnSaleError: no listing had units to sell in those days.
        FarDayError: the moment lies outside the times that the contract allows.
    """
    reference, horizons = request.reference, request.horizons
    cut_off = dataset.cut_off_day()
    if request.as_of_day is not None:
        refuse_far_day(request.as_of_day)
    as_of_day = cut_off if request.as_of_day is None else request.as_of_day
    last = min(cut_off, as_of_day)
    span = DaySpan(last - request.days + 1, last)
    ages = [
        compute_age(arrivals, as_of_day, request.stale_after_days)
        for arrivals in find_arrivals(dataset, as_of_day)
    ]
    signals = build_stored_rows(ensure_stock(dataset, horizons), horizons)
    parameters = None if reference is None else reference.parameters
    rows = recent_rows(signals, catalogue, span, parameters)
    progress("decisions", len(rows.listing_ids))
    return ValuesReport(
        rows=len(rows.listing_ids),
        listings=len(set(rows.listing_ids)),
        first_day=to_date(span.first),
        last_day=to_date(span.last),
        as_of=to_datetime(as_of_day).date().isoformat(),
        catalogue_fingerprint=catalogue.fingerprint,
        reference=None if reference is None else reference.bundle,
        checks=(*_checks(rows, reference), check_freshness(ages)),
        skipped=dict.fromkeys((CheckKind.NULL_SHARE, CheckKind.DRIFT), NO_REFERENCE)
        if reference is None
        else {},
    )


def _checks(rows: CheckedRows, reference: BundleReference | None) -> tuple[CheckReport, ...]:
    if reference is None:
        return check_bounds(rows), check_all_null(rows, None)
    stats = reference.stats
    return (
        check_bounds(rows),
        check_all_null(rows, stats),
        check_null_shares(rows, stats),
        check_drift(rows, stats),
    )


def check_freshness(ages: Sequence[TableAge]) -> CheckReport:
    """Find tables that are older than their limit."""
    findings = [
        Finding(
            subject=age.table,
            severity=Severity.ALARM,
            size=age.days / max(1, age.limit or 1),
            says=f"the newest row became known {age.days:,} days ago; the limit is {age.limit:,}",
        )
        for age in ages
        if age.is_stale
    ]
    without_limit = [age.table for age in ages if age.limit is None]
    remarks = (
        [f"Too few days with rows to learn the usual gap: {', '.join(without_limit)}."]
        if without_limit
        else []
    )
    return keep_worst(CheckKind.FRESHNESS, len(ages) - len(without_limit), findings, remarks)
