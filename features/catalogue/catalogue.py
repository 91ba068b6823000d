"""The one explicit list of all features, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from features.catalogue.families import (
    creator_record,
    creators,
    demand,
    localisation,
    logistics,
    market,
    price,
    rates,
    repurchase,
    returns,
    reviews,
    stock,
    supplier,
)
from features.declarations.design_matrix import DesignPlan, plan_design
from features.declarations.kinds import BaseFeature, Derived, Feature, RequestField, as_facts
from features.declarations.levels import Level
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.code_fingerprint import code_fingerprint

COMPUTING_ROOMS: Final = ("dataset", "declarations", "point_in_time", "signals")
"""The folders of features/ whose code decides what a declared feature's value is."""


@dataclass(frozen=True)
class Catalogue:
    """Features in the order of the design matrix; derived ones stand after their inputs."""

    request_fields: tuple[RequestField, ...]
    features: tuple[Feature, ...]

    @cached_property
    def base(self) -> tuple[BaseFeature, ...]:
        """Return the features that are facts about a key at a moment."""
        return tuple(f for f in self.features if not isinstance(f, Derived))

    @cached_property
    def derived(self) -> tuple[Derived, ...]:
        """Return the features computed from others, each after its inputs."""
        return tuple(f for f in self.features if isinstance(f, Derived))

    def at_level(self, level: Level) -> tuple[BaseFeature, ...]:
        """Return the base features of a level in the order of its stored vector."""
        return tuple(f for f in self.base if f.level is level)

    @cached_property
    def model_inputs(self) -> tuple[str, ...]:
        """Return the columns of the design matrix: request fields, then all features."""
        return tuple(declared.name for declared in (*self.request_fields, *self.features))

    @cached_property
    def design_plan(self) -> DesignPlan:
        """Return how the design matrix is filled."""
        requested = [(field.name,) for field in self.request_fields]
        levels = [tuple(one.name for one in self.at_level(level)) for level in Level]
        known = [*requested, *(names for names in levels if names)]
        return plan_design(self.model_inputs, self.derived, known=known)

    def design_matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Return the matrix that models see: shape (rows, inputs), C order, null as NaN.

        `columns` holds each base feature and request field as an array of shape (rows,), in the
        unit of its declaration; `parameters` holds what the bundle learned for pooling.

        Raises:
            KeyError: a column or a parameter is missing, which is a fault of the caller.
        """
        return self.design_plan.matrix(columns, parameters)

    def monotone(self, target: Target) -> list[int]:
        """Return -1, 0 or 1 for each model input: the only way it can move a prediction."""
        declared = (*self.request_fields, *self.features)
        return [dict(one.monotone).get(target, 0) for one in declared]

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Return the names of all learned parameters, each once."""
        return tuple(dict.fromkeys(p for f in self.derived for p in f.parameters))

    @cached_property
    def fingerprint(self) -> str:
        """Return a SHA-256 over all declarations and the code that computes them.

        Descriptions, comments and docstrings don't count: no value depends on them. Training set,
        bundle and online snapshot carry it; serving refuses a mismatch.
        """
        facts = [as_facts(declared) for declared in (*self.request_fields, *self.features)]
        for declared in facts:
            del declared["description"]
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        features = Path(__file__).parents[1]
        paths = [path for room in COMPUTING_ROOMS for path in (features / room).rglob("*.py")]
        digest.update(code_fingerprint(features, paths).encode())
        return digest.hexdigest()


CATALOGUE: Final = Catalogue(
    request_fields=(*demand.REQUEST_FIELDS, *price.REQUEST_FIELDS),
    features=(
        *demand.DEMAND,
        *stock.STOCKS,
        *rates.RATES,
        *returns.RETURNS,
        *repurchase.REPURCHASE,
        *creators.CREATORS,
        *creator_record.CREATOR_RECORD,
        *localisation.LOCALISATION,
        *logistics.LOGISTICS,
        *reviews.REVIEWS,
        *supplier.SUPPLIER,
        *price.PRICE,
        *market.MARKET,
    ),
)
