"""Judge whether the product's default wins, or no other contestant surely does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from experiments.benchmarks.objectives.benchmark import ObjectiveBenchmarkResult, Round
from experiments.benchmarks.objectives.contestants import DEFAULTS, references, rivals
from experiments.benchmarks.objectives.loss_differences import pool_differences
from experiments.benchmarks.results.figures import MedianRange
from experiments.benchmarks.results.verdicts import describe_verdict
from features.declarations.targets import Target
from training.metrics.bootstrap import BootstrapInterval

MIN_ROUNDS: Final = 2
"""The intervals are over products: a single round says nothing about other months."""


@dataclass(frozen=True)
class Group:
    """All rounds of a target on one kind of data; its seeds and origins are repetitions."""

    data: str
    target: Target
    rounds: Sequence[Round]

    @property
    def default(self) -> str:
        """Return the name of the contestant that the product trains."""
        return DEFAULTS[self.target].name

    def summarise(self, name: str, state: str, measure: str) -> MedianRange:
        """Summarise a measure of a contestant over rounds; `state` is raw or calibrated."""
        return MedianRange.from_values(self._values(name, state, measure))

    def difference(self, name: str, state: str, measure: str) -> MedianRange:
        """Summarise a contestant's measure minus the default's in the same round."""
        values = self._values(name, state, measure)
        defaults = self._values(self.default, state, measure)
        return MedianRange.from_values(
            [value - default for value, default in zip(values, defaults, strict=True)]
        )

    def _values(self, name: str, state: str, measure: str) -> list[float]:
        return [float(getattr(getattr(judged, state)[name], measure)) for judged in self.rounds]

    def intervals(self) -> dict[str, BootstrapInterval]:
        """Return each contestant's calibrated log loss minus the default's, over all rounds."""
        return pool_differences([(judged.seed, judged.differences) for judged in self.rounds])


def group_rounds(result: ObjectiveBenchmarkResult) -> list[Group]:
    """Return the rounds by data and target, in the order of measurement."""
    kinds = dict.fromkeys((judged.data, judged.target) for judged in result.rounds)
    return [
        Group(
            data,
            target,
            [judged for judged in result.rounds if (judged.data, judged.target) == (data, target)],
        )
        for data, target in kinds
    ]


def verdicts(result: ObjectiveBenchmarkResult) -> list[str]:
    """Return a line a group, on whether the default wins, and a line for each better reference.

    Calibrated log loss decides. A contestant wins if it loses less than the default in every
    round, or if the 95 % interval of the mean difference lies below 0. Each contestant is judged
    by itself, and the interval holds only a part of the luck of the seeds
    (docs/decisions/booster-objectives.md).
    """
    return [line for group in group_rounds(result) for line in _verdict_lines(group)]


def _verdict_lines(group: Group) -> list[str]:
    subject, intervals = f"{group.data}, {group.target}", group.intervals()
    return [
        _judge_default(group, subject, {name: intervals[name] for name in rivals(group.target)}),
        *(
            f"beaten by a reference: {subject}: {_describe_difference((name, intervals[name]))}, "
            f"{_winning_rule(group, name, intervals[name]) or 'which may be luck'}"
            for name in references(group.target)
            if intervals[name].mean < 0
        ),
    ]


def _judge_default(group: Group, subject: str, intervals: Mapping[str, BootstrapInterval]) -> str:
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
    is_always = group.difference(name, "calibrated", "log_loss").greatest < 0
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
