"""All that can be told of a declared feature, as plain values in a fixed order."""

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
"""How the level of what only the request knows is called."""


@dataclass(frozen=True)
class FeatureDescription:
    """A declaration and what follows from it in its catalogue."""

    declared: FeatureDeclaration
    level: str
    facts: dict[str, Any]


def describe(catalogue: Catalogue, declared: FeatureDeclaration) -> FeatureDescription:
    """Return what is declared of a feature, and what follows: keys, tables, users, default."""
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
        "monotone": dict(facts.pop("monotone")),
        **facts,
        "tables": source_tables(catalogue, declared),
        "used_by": dependants(catalogue, declared),
        "empty_history": describe_empty_history(declared),
    }
    return FeatureDescription(declared, facts["level"], facts)


def describe_kind(kind: type[FeatureDeclaration]) -> str:
    """Return the first sentence of what the vocabulary says of a kind."""
    paragraph = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
    return paragraph.split(". ")[0].rstrip(".") + "."


def describe_empty_history(declared: FeatureDeclaration) -> str:
    """Say what the value is for a key of which nothing is known."""
    if isinstance(declared, RequestField):
        return "the request always knows it"
    if isinstance(declared, Derived):
        return "what the function gives for its inputs of an empty history"
    if isinstance(declared, COUNT_KINDS):
        return "0; null where a table it needs is absent"
    return "null"


def format_bounds(declared: FeatureDeclaration) -> str:
    """Say which values are allowed."""
    low, high = declared.low, declared.high
    if low is None and high is None:
        return "any"
    if low is None:
        return f"≤ {high:g}"
    return f"≥ {low:g}" if high is None else f"{low:g} to {high:g}"


def _describe_level(declared: FeatureDeclaration, title: str | None) -> str:
    if title is None:
        return "what the decision fixes"
    return f"{title}, the narrowest of its inputs'" if isinstance(declared, Derived) else title
