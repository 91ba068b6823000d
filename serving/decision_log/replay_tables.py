"""The report of a replay as sentences and tables, for the terminal and for the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from serving.decision_log.comparison import Estimates, Example, Group
from serving.decision_log.replay import ReplayReport


@dataclass(frozen=True)
class ReportTable:
    """A table of texts; the columns named in `numbers` are aligned to the right."""

    title: str
    headings: Sequence[str]
    numbers: frozenset[str]
    rows: Sequence[Sequence[str]]


def describe_verdict(report: ReplayReport) -> str:
    """Return what came out, in a sentence or two."""
    repeated = sum(group.rows for group in report.groups if group.must_repeat)
    sentences = []
    if repeated and report.failure_count:
        sentences.append(
            f"{report.failure_count:,} of {repeated:,} rows that had to be repeated bit for bit "
            "are not."
        )
    elif repeated:
        sentences.append(f"{repeated:,} rows of the same bundle and snapshot: the same bits.")
    others = report.rows - repeated
    if others:
        sentences.append(
            f"{report.flip_count:,} of {others:,} verdicts flip with another bundle or snapshot."
        )
    return " ".join(sentences)


def describe_rule(report: ReplayReport) -> str:
    """Return when a candidate is worth offering."""
    return (
        f"Worth offering: sell-through of at least {report.min_sell_through:g} and return risk of "
        f"at most {report.max_return_risk:g} (any, if it isn't predicted)."
    )


def build_tables(report: ReplayReport, *, examples: int) -> Iterator[ReportTable]:
    """Yield the tables that have rows; of single decisions at most `examples` each."""
    tables = (
        _tabulate_groups(report.groups),
        _tabulate_markets(report.flips_of_market),
        _tabulate_refusals(report.refusals),
        _tabulate_examples(
            "Not repeated (the first rows)", "differs in", report.failures[:examples]
        ),
        _tabulate_examples(
            "Verdicts that flip (largest changes first)", "becomes", report.flips[:examples]
        ),
    )
    yield from (table for table in tables if table.rows)


def _tabulate_groups(groups: Sequence[Group]) -> ReportTable:
    counts = ("rows", "refused", "other bits", "become worth", "become not worth", "largest change")
    headings = ("bundle", "snapshot", "replayed on", *counts)
    rows = [
        (
            group.bundle_id,
            group.snapshot_id,
            group.replayed_on,
            f"{group.rows:,}",
            f"{group.refused:,}",
            f"{group.differing:,}",
            f"{group.became_worth:,}",
            f"{group.became_unworth:,}",
            f"{group.largest_change:.3f}",
        )
        for group in groups
    ]
    return ReportTable("Replayed", headings, frozenset(counts), rows)


def _tabulate_markets(flips: Mapping[str, Mapping[str, int]]) -> ReportTable:
    headings = ("market", "worth offering", "not worth offering")
    ordered = sorted(flips.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    rows = [
        (market, *(f"{counts.get(verdict, 0):,}" for verdict in headings[1:]))
        for market, counts in ordered
    ]
    return ReportTable("What flips become, by market", headings, frozenset(headings[1:]), rows)


def _tabulate_refusals(refusals: Mapping[str, int]) -> ReportTable:
    rows = [(code, f"{count:,}") for code, count in sorted(refusals.items())]
    return ReportTable("Refused by the replay", ("code", "rows"), frozenset({"rows"}), rows)


def _tabulate_examples(title: str, note: str, examples: Sequence[Example]) -> ReportTable:
    shares = ("sell-through", "now", "return risk", "now ")
    headings = ("time", "chain", "row", "product", "market", "price", "units", *shares, note)
    rows = [
        (
            example.time,
            example.chain,
            str(example.sequence),
            example.product_id,
            example.market,
            f"{example.list_price_minor:,} {example.currency}",
            f"{example.units_offered:,}",
            *_format_estimates(example.logged, example.replayed),
            example.note,
        )
        for example in examples
    ]
    return ReportTable(title, headings, frozenset({"row", "price", "units", *shares}), rows)


def _format_estimates(logged: Estimates, replayed: Estimates | None) -> tuple[str, ...]:
    return (
        _format_share(logged.sell_through),
        _format_share(None if replayed is None else replayed.sell_through),
        _format_share(logged.return_risk),
        _format_share(None if replayed is None else replayed.return_risk),
    )


def _format_share(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"
