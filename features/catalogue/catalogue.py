"""The explicit list of all features, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
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
from features.declarations.kinds import (
    BaseFeature,
    Derived,
    Feature,
    FeatureDeclaration,
    RequestField,
    as_facts,
)
from features.declarations.levels import Level
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.code_fingerprint import code_fingerprint

COMPUTING_ROOMS: Final = ("dataset", "declarations", "point_in_time", "signals")
"""The folders of features/ whose code decides what a declared feature's value is."""


@dataclass(frozen=True)
class Catalogue:
    """Request fields and features; the model inputs among them are in the design matrix's order.

    Each derived feature comes after its inputs.
    """

    request_fields: tuple[RequestField, ...]
    features: tuple[Feature, ...]

    @cached_property
    def base(self) -> tuple[BaseFeature, ...]:
        """Return the features that the interpreter computes for a key at a moment."""
        return tuple(f for f in self.features if not isinstance(f, Derived))

    @cached_property
    def derived(self) -> tuple[Derived, ...]:
        """Return the features computed from others, each after its inputs."""
        return tuple(f for f in self.features if isinstance(f, Derived))

    def at_level(self, level: Level) -> tuple[BaseFeature, ...]:
        """Return the base features of a level in the order of its stored vector."""
        return tuple(f for f in self.base if f.level is level)

    @cached_property
    def declarations(self) -> tuple[FeatureDeclaration, ...]:
        """Return request fields, then all features."""
        return (*self.request_fields, *self.features)

    @cached_property
    def inputs(self) -> tuple[FeatureDeclaration, ...]:
        """Return the declarations of the model inputs: all but evidence."""
        return tuple(declared for declared in self.declarations if declared.is_input)

    @cached_property
    def model_inputs(self) -> tuple[str, ...]:
        """Return the columns of the design matrix."""
        return tuple(declared.name for declared in self.inputs)

    @cached_property
    def design_plan(self) -> DesignPlan:
        """Return the plan that fills the design matrix."""
        return self._plan(self.inputs)

    @cached_property
    def value_plan(self) -> DesignPlan:
        """Return the plan that computes every request field and feature, evidence too."""
        return self._plan(self.declarations)

    def _plan(self, wanted: Sequence[FeatureDeclaration]) -> DesignPlan:
        requested = [(field.name,) for field in self.request_fields]
        levels = [tuple(feature.name for feature in self.at_level(level)) for level in Level]
        known = [*requested, *(names for names in levels if names)]
        return plan_design([declared.name for declared in wanted], self.derived, known=known)

    def design_matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Compute the model inputs: shape (rows, inputs), C order, null as NaN.

        `columns` holds each base feature and request field as an array of shape (rows,), in the
        unit of its declaration; `parameters` holds the pooling parameters that the bundle learned.

        Raises:
            KeyError: a column or a parameter is missing; the caller must supply it.
        """
        return self.design_plan.matrix(columns, parameters)

    def value_matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Compute every declaration's values like `design_matrix`: shape (rows, declarations)."""
        return self.value_plan.matrix(columns, parameters)

    def monotone(self, target: Target) -> list[int]:
        """Return the monotone constraint of each model input: -1, 0 or 1, as LightGBM reads it."""
        return [dict(declared.monotone).get(target, 0) for declared in self.inputs]

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Return the names of all learned parameters, each once."""
        return tuple(dict.fromkeys(p for f in self.derived for p in f.parameters))

    @cached_property
    def fingerprint(self) -> str:
        """Return a SHA-256 over all declarations and the code that computes them.

        It leaves out descriptions, comments and docstrings: no value depends on them. The training
        set, the bundle and the online snapshot carry it; serving refuses a mismatch.
        """
        facts = [as_facts(declared) for declared in self.declarations]
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
