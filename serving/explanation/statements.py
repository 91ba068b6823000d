"""State the effects on one estimate: by family and by feature, the strongest first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.kinds import FeatureFamily
from features.runtime.arrays import FloatArray
from serving.explanation.answers import FamilyEffect, FeatureEffect, TargetExplanation
from serving.explanation.phrases import CALENDAR, FAMILIES
from serving.explanation.wording import describe_effect, describe_family

USUAL_CALENDAR: Final = 1.0
"""The calendar's demand on usual days, as a multiple of the usual one."""


@dataclass(frozen=True)
class NamedValues:
    """A candidate's inputs and the calendar: names, families, values, and what is usual."""

    names: tuple[str, ...]
    families: tuple[FeatureFamily, ...]
    values: tuple[float | None, ...]
    usual: tuple[float | None, ...]
    currency: str

    @classmethod
    def build(
        cls,
        catalogue: Catalogue,
        values: Sequence[float],
        usual: Sequence[float | None],
        *,
        calendar: float,
        currency: str,
    ) -> Self:
        """Name a row of the design matrix, in which null is NaN, and the calendar after it."""
        return cls(
            (*catalogue.model_inputs, CALENDAR),
            (*(declared.family for declared in catalogue.inputs), FeatureFamily.DEMAND),
            (*(None if math.isnan(value) else value for value in values), calendar),
            (*usual, USUAL_CALENDAR),
            currency,
        )


def state_effects(
    named: NamedValues, points: FloatArray, *, estimate: float, usual: float, most: int
) -> TargetExplanation:
    """Return the explanation of one estimate; `points` has one entry for each of the names."""
    order = np.argsort(-np.abs(points), kind="stable")[:most].tolist()
    features = [
        _state_feature(named, index, float(points[index])) for index in order if points[index]
    ]
    return TargetExplanation(
        estimate=estimate,
        usual=usual,
        families=_sum_families(named.families, points),
        features=features,
        other_points=float(points.sum()) - sum(effect.points for effect in features),
    )


def _state_feature(named: NamedValues, index: int, points: float) -> FeatureEffect:
    name, value, usual = named.names[index], named.values[index], named.usual[index]
    return FeatureEffect(
        feature=name,
        family=named.families[index].value,
        points=points,
        value=value,
        usual=usual,
        words=describe_effect(name, value, usual, currency=named.currency, points=points),
    )


def _sum_families(families: Sequence[FeatureFamily], points: FloatArray) -> list[FamilyEffect]:
    """Return the points of every family, the strongest first."""
    sums = dict.fromkeys(FAMILIES, 0.0)
    for family, effect in zip(families, points.tolist(), strict=True):
        sums[family] += effect
    ranked = sorted(sums.items(), key=lambda item: -abs(item[1]))
    return [
        FamilyEffect(
            family=family.value, points=effect, words=describe_family(family, points=effect)
        )
        for family, effect in ranked
    ]
