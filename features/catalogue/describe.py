"""All that can be told of a declared feature, as plain values in a fixed order."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

from features.catalogue.catalogue import Catalogue
from features.catalogue.lineage import level_of, tables_of, users_of
from features.declarations.kinds import COUNTING, Declared, Derived, RequestField, as_facts
from features.declarations.levels import LEVEL_KEYS, LEVEL_TITLES

FORMAT: Final = "xuanpin-features/1"
REQUEST: Final = "request"
"""How the level of what only the request knows is called."""


@dataclass(frozen=True)
class Described:
    """A declaration and what follows from it in its catalogue."""

    declared: Declared
    level: str
    facts: dict[str, Any]


def describe(catalogue: Catalogue, declared: Declared) -> Described:
    """Return what is declared of a feature, and what follows: keys, tables, users, default."""
    level = level_of(catalogue, declared)
    facts = as_facts(declared)
    facts.pop("level", None)
    kind = facts.pop("kind")
    facts = {
        "name": facts.pop("name"),
        "description": facts.pop("description"),
        "kind": kind,
        "kind_means": kind_means(type(declared)),
        "family": facts.pop("family"),
        "level": REQUEST if level is None else level.value,
        "level_means": _level_means(declared, None if level is None else LEVEL_TITLES[level]),
        "keys": () if level is None else LEVEL_KEYS[level],
        "unit": facts.pop("unit"),
        "low": facts.pop("low"),
        "high": facts.pop("high"),
        "monotone": dict(facts.pop("monotone")),
        **facts,
        "tables": tables_of(catalogue, declared),
        "used_by": users_of(catalogue, declared),
        "empty_history": empty_history(declared),
    }
    return Described(declared, facts["level"], facts)


def kind_means(kind: type[Declared]) -> str:
    """Return the first sentence of what the vocabulary says of a kind."""
    paragraph = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
    return paragraph.split(". ")[0].rstrip(".") + "."


def empty_history(declared: Declared) -> str:
    """Say what the value is for a key of which nothing is known."""
    if isinstance(declared, RequestField):
        return "the request always knows it"
    if isinstance(declared, Derived):
        return "what the function gives for its inputs of an empty history"
    if isinstance(declared, COUNTING):
        return "0; null where a table it needs is absent"
    return "null"


def bounds(declared: Declared) -> str:
    """Say which values are allowed."""
    low, high = declared.low, declared.high
    if low is None and high is None:
        return "any"
    if low is None:
        return f"≤ {high:g}"
    return f"≥ {low:g}" if high is None else f"{low:g} to {high:g}"


def _level_means(declared: Declared, title: str | None) -> str:
    if title is None:
        return "what the decision fixes"
    return f"{title}, the narrowest of its inputs'" if isinstance(declared, Derived) else title
