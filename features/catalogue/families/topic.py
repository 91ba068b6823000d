"""Declare the features of one signal and family, each in one call."""

from __future__ import annotations

from dataclasses import dataclass

from features.declarations.functions import ratio, share
from features.declarations.kinds import (
    Derived,
    Distinct,
    Elapsed,
    FeatureFamily,
    Latest,
    SignalName,
    Windowed,
)
from features.declarations.levels import LEVEL_TITLES, Level, name_feature


@dataclass(frozen=True)
class Topic:
    """A signal as the source of a family's features.

    A sentence is the start of the description, with `{level}` as a placeholder. The days of the
    window and the full stop are added.
    """

    signal: SignalName
    family: FeatureFamily

    def total(  # noqa: PLR0913 - the facts of a declaration, all but two by name
        self, measure: str, sentence: str, *, level: Level, days: int, unit: str, name: str = ""
    ) -> Windowed:
        """Declare the sum of a measure over a window."""
        return Windowed(
            name=name_feature(name or measure, level, days),
            description=f"{_format_sentence(sentence, level)} in the last {days} days.",
            unit=unit,
            family=self.family,
            level=level,
            signal=self.signal,
            measure=measure,
            days=days,
        )

    def distinct_count(
        self, name: str, sentence: str, *, column: str, level: Level, days: int
    ) -> Distinct:
        """Declare the number of distinct values of a column over a window."""
        return Distinct(
            name=name_feature(name, level, days),
            description=f"{_format_sentence(sentence, level)} in the last {days} days.",
            unit=name,
            family=self.family,
            level=level,
            signal=self.signal,
            column=column,
            days=days,
        )

    def since_last(self, name: str, sentence: str, *, measure: str, level: Level) -> Elapsed:
        """Declare the days since the last event with a positive measure."""
        return Elapsed(
            name=name_feature(name, level),
            description=f"Days since {_format_sentence(sentence, level)}.",
            unit="days",
            family=self.family,
            level=level,
            signal=self.signal,
            measure=measure,
        )

    def current(  # noqa: PLR0913 - the facts of a declaration, all but two by name
        self,
        name: str,
        sentence: str,
        *,
        measure: str,
        level: Level,
        unit: str,
        high: float | None = None,
    ) -> Latest:
        """Declare the known value of the latest event."""
        return Latest(
            name=name_feature(name, level),
            description=f"{_format_sentence(sentence, level)}.",
            unit=unit,
            family=self.family,
            high=high,
            level=level,
            signal=self.signal,
            measure=measure,
        )


def declare_share(name: str, sentence: str, part: Windowed | Distinct, whole: Windowed) -> Derived:
    """Declare the share of a part in its whole, capped at 1, with the part's level and window."""
    return Derived(
        name=name_feature(name, part.level, part.days),
        description=f"{_format_sentence(sentence, part.level)}, of the last {part.days} days.",
        unit="share",
        family=part.family,
        high=1.0,
        inputs=(part.name, whole.name),
        function=share,
    )


def declare_mean(
    name: str, sentence: str, total: Windowed, count: Windowed, *, unit: str
) -> Derived:
    """Declare a sum divided by a count, with the sum's level and window."""
    return Derived(
        name=name_feature(name, total.level, total.days),
        description=f"{_format_sentence(sentence, total.level)}, of the last {total.days} days.",
        unit=unit,
        family=total.family,
        inputs=(total.name, count.name),
        function=ratio,
    )


def _format_sentence(sentence: str, level: Level) -> str:
    return sentence.format(level=LEVEL_TITLES[level])
