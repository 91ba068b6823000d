"""Judge whether the product's default wins, or no other contestant surely does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from experiments.benchmarks.objectives.benchmark import (
    LOTS,
    LotResult,
    ObjectiveBenchmarkResult,
    Round,
)
from experiments.benchmarks.objectives.contestants import DEFAULT, NAMES
from experiments.benchmarks.objectives.loss_differences import pool_differences
from experiments.benchmarks.results.figures import MedianRange
from experiments.benchmarks.results.verdicts import describe_verdict
from training.metrics.bootstrap import BootstrapInterval

MIN_ROUNDS: Final = 2
"""The intervals are over products: a single round says nothing about other months."""


@dataclass(frozen=True)
class Group:
    """All rounds on one kind of data and lots; seeds and origins are repetitions."""

    data: str
    lots: str
    rounds: Sequence[Round]

    def summarise(self, name: str, measure: str) -> MedianRange:
        """Summarise a measure of a contestant over rounds."""
        return MedianRange.from_values(self._values(name, measure))

    def difference(self, name: str, measure: str) -> MedianRange:
        """Summarise a contestant's measure minus the default's in the same round."""
        values = self._values(name, measure)
        defaults = self._values(DEFAULT, measure)
        return MedianRange.from_values(
            [value - default for value, default in zip(values, defaults, strict=True)]
        )

    def _values(self, name: str, measure: str) -> list[float]:
        return [float(getattr(result.metrics[name], measure)) for result in self._results]

    def intervals(self) -> dict[str, BootstrapInterval]:
        """Return each contestant's log loss minus the default's, over all rounds."""
        return pool_differences(
            [
                (judged.seed, result.differences)
                for judged, result in zip(self.rounds, self._results, strict=True)
            ]
        )

    @property
    def _results(self) -> list[LotResult]:
        return [judged.by_lots[self.lots] for judged in self.rounds]


def group_rounds(result: ObjectiveBenchmarkResult) -> list[Group]:
    """Return the rounds by data, in the order of measurement, once for each kind of lots."""
    return [
        Group(data, lots, [judged for judged in result.rounds if judged.data == data])
        for data in dict.fromkeys(judged.data for judged in result.rounds)
        for lots in LOTS
    ]


def verdicts(result: ObjectiveBenchmarkResult) -> list[str]:
    """Return a line for each data set and kind of lots, on whether the default wins.

    Log loss decides. A contestant wins if it loses less than the default in every
    round, or if the 95 % interval of the mean difference lies below 0. Each contestant is judged
    by itself, and the interval holds only a part of the luck of the seeds
    (docs/decisions/booster-objectives.md).
    """
    return [_judge_default(group) for group in group_rounds(result)]


def _judge_default(group: Group) -> str:
    subject, pooled = f"{group.data}, {group.lots}", group.intervals()
    intervals = {name: pooled[name] for name in NAMES if name != DEFAULT}
    winners = {
        name: interval
        for name, interval in intervals.items()
        if _winning_rule(group, name, interval)
    }
    best = _least_loss(winners or intervals)
    difference = _describe_difference(best)
    if len(group.rounds) < MIN_ROUNDS:
        sentence = f"{subject}: one round says nothing about other months; {difference}"
        return describe_verdict(sentence, is_reached=False)
    if winners:
        sentence = f"{subject}: {difference}, {_winning_rule(group, *best)}"
        return describe_verdict(sentence, is_reached=False)
    if best[1].mean < 0:
        return describe_verdict(f"{subject}: {difference}, which may be luck", is_reached=True)
    sentence = f"{subject}: the default has the least log loss; next, {difference}"
    return describe_verdict(sentence, is_reached=True)


def _winning_rule(group: Group, name: str, interval: BootstrapInterval) -> str:
    """Return the rules by which a contestant wins; empty if it doesn't."""
    is_always = group.difference(name, "log_loss").greatest < 0
    rules = {"surely less": interval.high < 0, "less in every round": is_always}
    return " and ".join(rule for rule, holds in rules.items() if holds)


def _least_loss(intervals: Mapping[str, BootstrapInterval]) -> tuple[str, BootstrapInterval]:
    return min(intervals.items(), key=lambda item: item[1].mean)


def _describe_difference(difference: tuple[str, BootstrapInterval]) -> str:
    name, interval = difference
    return f"{name} has {format_interval(interval)} against the default"


def format_interval(interval: BootstrapInterval) -> str:
    """Return a difference with its confidence interval."""
    return f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"
