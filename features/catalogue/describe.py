"""Describe a declared feature as plain values in a fixed order."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

from features.catalogue.catalogue import Catalogue
from features.catalogue.lineage import dependants, infer_level, source_tables
from features.declarations.kinds import (
    COUNT_KINDS,
    Derived,
    FeatureDeclaration,
    RequestField,
    as_facts,
)
from features.declarations.levels import LEVEL_KEYS, LEVEL_TITLES

FORMAT: Final = "xuanpin-features/1"
REQUEST: Final = "request"
"""Name of the level of request fields, which have no level of aggregation."""


@dataclass(frozen=True)
class FeatureDescription:
    """A declaration with the facts that follow from it in its catalogue.

    `facts` is the JSON object that `xuanpin features describe --json` prints.
    """

    declared: FeatureDeclaration
    level: str
    facts: dict[str, Any]


def describe(catalogue: Catalogue, declared: FeatureDeclaration) -> FeatureDescription:
    """Describe a feature: its declaration, keys, source tables, dependants and default value."""
    level = infer_level(catalogue, declared)
    facts = as_facts(declared)
    facts.pop("level", None)
    kind = facts.pop("kind")
    facts = {
        "name": facts.pop("name"),
        "description": facts.pop("description"),
        "kind": kind,
        "kind_means": describe_kind(type(declared)),
        "family": facts.pop("family"),
        "level": REQUEST if level is None else level.value,
        "level_means": _describe_level(declared, None if level is None else LEVEL_TITLES[level]),
        "keys": () if level is None else LEVEL_KEYS[level],
        "unit": facts.pop("unit"),
        "low": facts.pop("low"),
        "high": facts.pop("high"),
        "use": "input" if facts.pop("is_input") else "evidence",
        "monotone": dict(facts.pop("monotone")),
        **facts,
        "tables": source_tables(catalogue, declared),
        "used_by": dependants(catalogue, declared),
        "empty_history": describe_empty_history(declared),
    }
    return FeatureDescription(declared, facts["level"], facts)


def describe_kind(kind: type[FeatureDeclaration]) -> str:
    """Return the first sentence of a kind's docstring."""
    paragraph = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
    return paragraph.split(". ")[0].rstrip(".") + "."


def describe_empty_history(declared: FeatureDeclaration) -> str:
    """Describe the value for a key without any known event."""
    if isinstance(declared, RequestField):
        return "the request always brings it"
    if isinstance(declared, Derived):
        return "the result of the function for inputs without history"
    if isinstance(declared, COUNT_KINDS):
        return "0; null where a table it needs is absent"
    return "null"


def format_bounds(declared: FeatureDeclaration) -> str:
    """Format the range of allowed values."""
    low, high = declared.low, declared.high
    if low is None and high is None:
        return "any"
    if low is None:
        return f"≤ {high:g}"
    return f"≥ {low:g}" if high is None else f"{low:g} to {high:g}"


def _describe_level(declared: FeatureDeclaration, title: str | None) -> str:
    if title is None:
        return "set by the decision"
    return f"{title}, the narrowest level of its inputs" if isinstance(declared, Derived) else title
