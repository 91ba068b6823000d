"""Whether the product's choice is what wins, or nothing surely does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from experiments.benchmarks.features.growth import MedianRange
from experiments.benchmarks.objectives.benchmark import ObjectiveBenchmarkResult, Round
from experiments.benchmarks.objectives.contestants import DEFAULTS, references, rivals
from experiments.benchmarks.objectives.leads import pool_differences
from features.declarations.targets import Target
from training.metrics.bootstrap import BootstrapInterval as Interval

MIN_ROUNDS: Final = 2
"""The intervals are over products: of what another month would say one round knows nothing."""


@dataclass(frozen=True)
class Group:
    """All rounds of a target on one kind of data: seeds and origins repeat the same question."""

    data: str
    target: Target
    rounds: Sequence[Round]

    @property
    def default(self) -> str:
        """Return the name of what the product trains."""
        return DEFAULTS[self.target].name

    def spread(self, name: str, state: str, measure: str) -> MedianRange:
        """Sum up a measure of a contestant; `state` is raw or calibrated."""
        return MedianRange.of(
            [_figure(one, name, state=state, measure=measure) for one in self.rounds]
        )

    def beside_default(self, name: str, state: str, measure: str) -> MedianRange:
        """Sum up how much more a contestant has than the default in the same round."""
        return MedianRange.of(
            [
                _figure(one, name, state=state, measure=measure)
                - _figure(one, self.default, state=state, measure=measure)
                for one in self.rounds
            ]
        )

    def leads(self) -> dict[str, Interval]:
        """Return how much more calibrated log loss each has than the default, over all rounds."""
        return pool_differences([(one.seed, one.leads) for one in self.rounds])


def groups(found: ObjectiveBenchmarkResult) -> list[Group]:
    """Return the rounds by data and target, in the order in which they were measured."""
    kinds = dict.fromkeys((one.data, one.target) for one in found.rounds)
    return [
        Group(
            data, target, [one for one in found.rounds if (one.data, one.target) == (data, target)]
        )
        for data, target in kinds
    ]


def _figure(one: Round, name: str, *, state: str, measure: str) -> float:
    by_contestant = {"raw": one.raw, "calibrated": one.calibrated}[state]
    return float(getattr(by_contestant[name], measure))


def verdicts(found: ObjectiveBenchmarkResult) -> list[str]:
    """Return a line a group: whether no other contestant wins; one more a reference with less.

    Of calibrated log loss. A contestant wins if it loses less than the default in every round, or
    surely less in the mean over rounds: if the 95 % interval of the difference over products lies
    below 0. That is said of each contestant by itself: of seven that are as good as the default one
    would be surely less by luck in one comparison of six, of eight in one of five or six. The
    interval doesn't hold the luck of the seeds, which draws average out of cross-entropy and
    Tweedie, and five boosters in part out of the others.
    """
    return [line for group in groups(found) for line in _verdict_lines(group)]


def _verdict_lines(group: Group) -> list[str]:
    about, leads = f"{group.data}, {group.target}", group.leads()
    others = {name: leads[name] for name in rivals(group.target)}
    winners = {
        name: beside for name, beside in others.items() if _winning_rule(group, name, beside)
    }
    best = _least_loss(winners or others)
    if len(group.rounds) < MIN_ROUNDS:
        line = (
            f"not reached: {about}: one round says nothing of other months; "
            f"{_describe_difference(best)}"
        )
    elif winners:
        line = f"not reached: {about}: {_describe_difference(best)}, {_winning_rule(group, *best)}"
    elif best[1].mean < 0:
        line = f"reached: {about}: {_describe_difference(best)}, which may be luck"
    else:
        line = (
            f"reached: {about}: the default has the least log loss; next, "
            f"{_describe_difference(best)}"
        )
    beaten = [
        f"beaten by a reference: {about}: {_describe_difference((name, leads[name]))}, "
        f"{_winning_rule(group, name, leads[name]) or 'which may be luck'}"
        for name in references(group.target)
        if leads[name].mean < 0
    ]
    return [line, *beaten]


def _winning_rule(group: Group, name: str, beside: Interval) -> str:
    """Say by which rule a contestant wins; nothing if by none."""
    is_always = group.beside_default(name, "calibrated", "log_loss").greatest < 0
    ways = {"surely less": beside.high < 0, "less in every round": is_always}
    return " and ".join(way for way, is_so in ways.items() if is_so)


def _least_loss(beside: Mapping[str, Interval]) -> tuple[str, Interval]:
    return min(beside.items(), key=lambda one: one[1].mean)


def _describe_difference(one: tuple[str, Interval]) -> str:
    return f"{one[0]} has {format_interval(one[1])} beside the default"


def format_interval(beside: Interval) -> str:
    """Return a difference with the interval that says how sure it is."""
    return f"{beside.mean:+.4f} [{beside.low:+.4f}, {beside.high:+.4f}]"


def format_difference(spread: MedianRange) -> str:
    """Return a difference with its range."""
    return f"{spread.median:+.4f} ({spread.least:+.4f} to {spread.greatest:+.4f})"
