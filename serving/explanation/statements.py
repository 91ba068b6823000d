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
from serving.explanation.phrases import CALENDAR, FAMILIES, NEW_LISTING, OWN_HISTORY
from serving.explanation.wording import describe_effect, describe_family

OTHER_EFFECTS: Final = {CALENDAR: FeatureFamily.DEMAND.value, NEW_LISTING: OWN_HISTORY}
"""What moves an estimate beside the inputs, in the order of an attribution, to its family."""
MIN_POINTS: Final = 0.05
"""A weaker effect is written as no points, so it counts among the others."""
USUAL_OTHERS: Final = (1.0, 0.0)
"""The calendar's demand on usual days, and a listing that isn't new."""


@dataclass(frozen=True)
class NamedValues:
    """What moves an estimate: names, families, values, and what is usual."""

    names: tuple[str, ...]
    families: tuple[str, ...]
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
        currency: str,
    ) -> Self:
        """Name a row of the design matrix, in which null is NaN, and `OTHER_EFFECTS` after it.

        `usual` is about the inputs alone.
        """
        return cls(
            (*catalogue.model_inputs, *OTHER_EFFECTS),
            (*(one.family.value for one in catalogue.inputs), *OTHER_EFFECTS.values()),
            tuple(None if math.isnan(value) else value for value in values),
            (*usual, *USUAL_OTHERS),
            currency,
        )


def state_effects(
    named: NamedValues, points: FloatArray, *, estimate: float, usual: float, most: int
) -> TargetExplanation:
    """Return the explanation of one estimate; `points` has one entry for each of the names."""
    order = np.argsort(-np.abs(points), kind="stable")[:most].tolist()
    features = [
        _state_feature(named, index, float(points[index]))
        for index in order
        if abs(points[index]) >= MIN_POINTS
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
        family=named.families[index],
        points=points,
        value=value,
        usual=usual,
        words=describe_effect(name, value, usual, currency=named.currency, points=points),
    )


def _sum_families(families: Sequence[str], points: FloatArray) -> list[FamilyEffect]:
    """Return the points of every family, the strongest first."""
    sums = dict.fromkeys(FAMILIES, 0.0)
    for family, effect in zip(families, points.tolist(), strict=True):
        sums[family] += effect
    ranked = sorted(sums.items(), key=lambda item: -abs(item[1]))
    return [
        FamilyEffect(family=family, points=effect, words=describe_family(family, points=effect))
        for family, effect in ranked
    ]
