"""Trace a feature: its sources, level, source tables and dependants."""

from __future__ import annotations

from features.catalogue.catalogue import Catalogue
from features.declarations.kinds import (
    BaseFeature,
    Derived,
    FeatureDeclaration,
    Fulfilled,
    RequestField,
)
from features.declarations.levels import Level
from features.signals.registry import SIGNALS


def find_declaration(catalogue: Catalogue, name: str) -> FeatureDeclaration:
    """Return a declaration by its name.

    Raises:
        KeyError: the catalogue has no such name; `resolve_name` checks names of users.
    """
    return {declared.name: declared for declared in all_declarations(catalogue)}[name]


def all_declarations(catalogue: Catalogue) -> tuple[FeatureDeclaration, ...]:
    """Return request fields and features, evidence too, in the catalogue's order."""
    return catalogue.declarations


def sources(
    catalogue: Catalogue, declared: FeatureDeclaration
) -> tuple[BaseFeature | RequestField, ...]:
    """Return the base features and request fields from which a feature is computed.

    The only source of a feature that isn't derived is the feature itself.
    """
    by_name = {feature.name: feature for feature in all_declarations(catalogue)}
    roots: dict[str, BaseFeature | RequestField] = {}
    queue = [declared]
    while queue:
        feature = queue.pop(0)
        if isinstance(feature, Derived):
            queue += [by_name[name] for name in feature.inputs]
        else:
            roots[feature.name] = feature  # type: ignore[assignment]  # it isn't derived
    return tuple(roots.values())


def infer_level(catalogue: Catalogue, declared: FeatureDeclaration) -> Level | None:
    """Return the narrowest level of a feature's sources, or None if all are request fields."""
    levels = {
        source.level
        for source in sources(catalogue, declared)
        if not isinstance(source, RequestField)
    }
    return next((level for level in Level if level in levels), None)


def varying_level(catalogue: Catalogue, declared: FeatureDeclaration) -> Level:
    """Return the level whose keys can have different values.

    That is the listing if a request field is a source: each request decides on one listing.
    """
    if any(isinstance(source, RequestField) for source in sources(catalogue, declared)):
        return Level.LISTING
    return infer_level(catalogue, declared) or Level.LISTING


def source_tables(catalogue: Catalogue, declared: FeatureDeclaration) -> tuple[str, ...]:
    """Return the source tables that a feature needs; it is null if one of them is absent."""
    needs: dict[str, None] = {}
    for source in sources(catalogue, declared):
        if isinstance(source, RequestField):
            continue
        states = (source.states,) if isinstance(source, Fulfilled) else ()
        for signal in (source.signal, *states):
            needs.update(dict.fromkeys(SIGNALS[signal].needs))
    return tuple(needs)


def dependants(catalogue: Catalogue, declared: FeatureDeclaration) -> tuple[str, ...]:
    """Return the names of the derived features that have a feature as a direct input."""
    return tuple(user.name for user in catalogue.derived if declared.name in user.inputs)
