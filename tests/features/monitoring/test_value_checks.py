"""Checks of values: what is planted is found, and only that; chance and small samples are not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from features.catalogue.catalogue import CATALOGUE
from features.declarations.levels import Level
from features.monitoring.page import values_page
from features.monitoring.reference_checks import check_drift, check_null_shares
from features.monitoring.reference_stats import ColumnStats, describe_inputs
from features.monitoring.report import (
    MAX_FINDINGS,
    CheckKind,
    CheckReport,
    Finding,
    Severity,
    ValuesReport,
    keep_worst,
)
from features.monitoring.value_checks import CheckedRows, check_all_null, check_bounds
from features.runtime.arrays import FloatArray

NAMES = tuple(declared.name for declared in CATALOGUE.declarations)
IS_INPUT = [declared.is_input for declared in CATALOGUE.declarations]
POSITION = {name: place for place, name in enumerate(NAMES)}
WEEKS = 4
SHARE, MARKETS = "in_stock_share_84d", "units_sold_market_180d"
COUNT = next(
    one.name
    for place, one in enumerate(CATALOGUE.declarations)
    if place > POSITION[SHARE]
    and place % 21 == 3
    and one.is_input
    and (one.low, one.high) == (0, None)
)
"""A count whose values `drawn` makes small, some of them null."""


def drawn(listings: int, seed: int) -> FloatArray:
    """Draw values of every sort within bounds: counts, shares, ties, nulls; weeks are alike."""
    rng = np.random.default_rng(seed)
    matrix = np.empty((listings, len(NAMES)))
    declared = CATALOGUE.declarations
    for place, one in enumerate(declared):
        values = rng.poisson(0.5 + place % 7, listings).astype(float)
        if one.high is not None:
            values = rng.beta(1, 2, listings) * (rng.random(listings) < 0.6)
        values = np.maximum(values, one.low or 0)
        if place % 3 == 0:
            values[rng.random(listings) < 0.4] = np.nan
        matrix[:, place] = values
    return np.repeat(matrix, WEEKS, axis=0)


def checked(matrix: FloatArray) -> CheckedRows:
    rows = np.arange(len(matrix)) // WEEKS
    keys = dict.fromkeys(Level, rows) | {Level.MARKET: rows % 4}
    return CheckedRows(
        catalogue=CATALOGUE,
        matrix=matrix,
        listing_ids=[f"L{row}" for row in rows],
        keys=keys,
    )


def describe(matrix: FloatArray) -> dict[str, ColumnStats]:
    return describe_inputs(CATALOGUE, matrix[:, IS_INPUT])


REFERENCE = describe(drawn(2000, 1))


def found(report: CheckReport) -> list[tuple[str, Severity]]:
    return [(one.subject, one.severity) for one in report.findings]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (SHARE, 1.5, "1 of 400 values are not 0 to 1"),
        (SHARE, -0.1, "1 of 400 values are not 0 to 1"),
        (COUNT, -1, "1 of 400 values are not ≥ 0"),
        ("units_offered", 0, "1 of 400 values are not ≥ 1"),
        ("margin_after_cost", 1.01, "1 of 400 values are not ≤ 1"),
        ("sentiment_thousandths_84d", np.inf, "1 of 400 values are not any"),
    ],
)
def test_bounds_find_a_planted_value_and_only_it(name: str, value: float, says: str) -> None:
    matrix = drawn(100, 0)
    matrix[9, POSITION[name]] = value
    report = check_bounds(checked(matrix))
    assert report.judged == len(NAMES)
    assert [(one.subject, one.says) for one in report.findings] == [(name, says)]
    assert [(row.listing_id, row.value) for row in report.findings[0].examples] == [("L2", value)]


def test_bounds_hold_for_nulls_and_show_five_examples() -> None:
    matrix = drawn(100, 0)
    assert check_bounds(checked(matrix)).findings == ()
    matrix[:, POSITION[SHARE]] = 2
    (finding,) = check_bounds(checked(matrix)).findings
    assert (finding.size, len(finding.examples)) == (400, 5)


def test_all_null_is_found_unless_the_table_is_absent_or_it_always_was() -> None:
    matrix = drawn(100, 0)
    matrix[:, POSITION[SHARE]] = np.nan
    matrix[:, POSITION[COUNT]] = np.nan
    rows = checked(matrix)
    both = sorted((SHARE, COUNT))
    assert found(check_all_null(rows, REFERENCE)) == [(name, Severity.ALARM) for name in both]
    assert found(check_all_null(rows, None)) == [(name, Severity.NOTICE) for name in both]
    absent = replace(rows, absent=frozenset({COUNT}))
    assert found(check_all_null(absent, REFERENCE)) == [(SHARE, Severity.ALARM)]
    assert check_all_null(absent, None).remarks == ("1 features lack a table.",)
    never = {**REFERENCE, SHARE: replace_missing(1.0)}
    assert found(check_all_null(rows, never)) == [(COUNT, Severity.ALARM)]


def replace_missing(share: float) -> ColumnStats:
    column = np.full(10, np.nan)
    column[round(share * 10) :] = 1.0
    return describe(np.tile(column[:, None], len(NAMES)))[SHARE]


def test_left_out_features_are_not_judged_and_said_to_be() -> None:
    pooled = frozenset(one.name for one in CATALOGUE.derived if one.parameters)
    rows = replace(checked(drawn(100, 0)), left_out=pooled)
    report = check_bounds(rows)
    assert report.judged == len(NAMES) - len(pooled)
    assert "pooled features are left out" in report.remarks[0]


@pytest.mark.parametrize(
    ("name", "shift", "severity"),
    [
        (COUNT, lambda values: values + 1, Severity.ALARM),
        (SHARE, lambda values: values * (np.arange(len(values)) % 3 > 0), Severity.NOTICE),
        (SHARE, lambda values: np.minimum(values * 3, 1), Severity.ALARM),
        (COUNT, lambda values: values * 0, Severity.ALARM),
    ],
)
def test_drift_finds_a_planted_shift_and_only_it(name: str, shift, severity: Severity) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a function of an array
    matrix = drawn(1000, 2)
    matrix[:, POSITION[name]] = shift(matrix[:, POSITION[name]])
    rows = checked(matrix)
    assert found(check_drift(rows, REFERENCE)) == [(name, severity)]
    assert found(check_null_shares(rows, REFERENCE)) == []


@pytest.mark.parametrize(
    ("before", "now", "severities"),
    [
        (0.4, 0.4, []),
        (0.4, 0.6, [Severity.NOTICE]),
        (0.4, 0.0, [Severity.ALARM]),
        (0.0, 0.06, [Severity.ALARM]),
        (0.0, 0.002, []),
    ],
)
def test_null_shares_that_moved_are_found(
    before: float, now: float, severities: list[Severity]
) -> None:
    matrices = []
    for share in (before, now):
        matrix = drawn(1000, 3)
        matrix[:, POSITION[COUNT]] = 1.0
        matrix[: round(share * len(matrix)), POSITION[COUNT]] = np.nan
        matrices.append(matrix)
    report = check_null_shares(checked(matrices[1]), describe(matrices[0]))
    assert found(report) == [(COUNT, severity) for severity in severities]


def test_random_halves_of_the_same_rows_raise_few_alarms() -> None:
    matrix = drawn(400, 4)
    reports = []
    for seed in range(50):
        order = np.random.default_rng(seed).permutation(400)
        half = np.isin(np.arange(len(matrix)) // WEEKS, order[:200])
        reference = describe(matrix[~half])
        rows = checked(matrix[half])
        reports += [check_drift(rows, reference), check_null_shares(rows, reference)]
    alarms = sum(bool(report.findings) for report in reports)
    assert alarms <= 5  # CHANCE promises at most 5 of 100


@pytest.mark.parametrize("listings", [1, 2, 5, 20])
def test_small_samples_raise_no_alarm(listings: int) -> None:
    rows = checked(drawn(listings, 5))
    report = check_drift(rows, REFERENCE)
    assert report.findings == ()
    assert "few independent values" in report.remarks[0]
    assert check_null_shares(rows, REFERENCE).findings == ()


def test_values_of_four_markets_are_four_however_many_rows_hold_them() -> None:
    matrix = drawn(1000, 2)
    matrix[:, POSITION[MARKETS]] += 3
    assert found(check_drift(checked(matrix), REFERENCE)) == []


def test_report_keeps_the_worst_and_counts_the_rest() -> None:
    findings = [
        Finding(subject=f"f{size}", severity=severity, size=size, says="moved")
        for size in range(30)
        for severity in (Severity.NOTICE, Severity.ALARM)
    ]
    report = keep_worst(CheckKind.DRIFT, 99, findings)
    kept = [one.size for one in report.findings]
    assert (kept, report.more) == (list(range(29, 29 - MAX_FINDINGS, -1)), 40)
    assert {one.severity for one in report.findings} == {Severity.ALARM}


HEAD = (
    "400 decisions on 100 listings, 2026-01-01 to 2026-01-28, as of 2026-01-30, "
    "against no reference"
)


def test_report_page_and_json_tell_the_same() -> None:
    matrix = drawn(100, 0)
    matrix[:3, POSITION[SHARE]] = 2
    report = ValuesReport(
        rows=400,
        listings=100,
        first_day="2026-01-01",
        last_day="2026-01-28",
        as_of="2026-01-30",
        catalogue_fingerprint="f",
        reference=None,
        checks=(check_bounds(checked(matrix)),),
        skipped={CheckKind.DRIFT: "no bundle"},
    )
    console = Console(width=200, force_terminal=False)
    with console.capture() as captured:
        console.print(values_page(report))
    assert [line.rstrip() for line in captured.get().splitlines()] == [
        HEAD,
        "",
        f"bounds: 1 found in {len(NAMES)}",
        f"  alarm {SHARE}  3 of 400 values are not 0 to 1 (L0 2, L0 2, L0 2)",
        "",
        "drift: skipped, no bundle",
        "",
        "1 found.",
    ]
    document = json.loads(report.to_json())
    assert (document["format"], document["found"]) == ("xuanpin-features-check/1", 1)
    assert document["skipped"] == {"drift": "no bundle"}
    assert document["checks"][0]["findings"][0]["subject"] == SHARE


def test_derived_features_of_requests_vary_by_listing() -> None:
    rows = checked(drawn(8, 0))
    rows = replace(rows, keys={**rows.keys, Level.CATEGORY_MARKET: rows.keys[Level.MARKET] % 2})
    every = np.ones(8 * WEEKS, dtype=np.bool_)
    counts = {one.name: rows.count_subjects(one, every) for one, _ in rows.columns()}
    assert counts["units_offered"] == counts["relative_price_category_market_84d"] == 8
    assert counts[MARKETS] == 4
    assert counts["coming_season_share_category_market_365d"] == 2
