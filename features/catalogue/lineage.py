"""Where a feature comes from: what it rests on, at which level, out of which tables, for whom."""

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
        KeyError: there is none, which is a fault of the caller.
    """
    return {declared.name: declared for declared in all_declarations(catalogue)}[name]


def all_declarations(catalogue: Catalogue) -> tuple[FeatureDeclaration, ...]:
    """Return all that is declared, in the order of the design matrix."""
    return (*catalogue.request_fields, *catalogue.features)


def sources(
    catalogue: Catalogue, declared: FeatureDeclaration
) -> tuple[BaseFeature | RequestField, ...]:
    """Return what a feature is computed from in the end: itself, unless it is derived."""
    by_name = {one.name: one for one in all_declarations(catalogue)}
    found: dict[str, BaseFeature | RequestField] = {}
    todo = [declared]
    while todo:
        one = todo.pop(0)
        if isinstance(one, Derived):
            todo += [by_name[name] for name in one.inputs]
        else:
            found[one.name] = one  # type: ignore[assignment]  # what isn't derived is a root
    return tuple(found.values())


def infer_level(catalogue: Catalogue, declared: FeatureDeclaration) -> Level | None:
    """Return what a feature is a fact about: of a derived one, the narrowest level it rests on.

    None for what only the request knows.
    """
    levels = {
        one.level for one in sources(catalogue, declared) if not isinstance(one, RequestField)
    }
    return next((level for level in Level if level in levels), None)


def varying_level(catalogue: Catalogue, declared: FeatureDeclaration) -> Level:
    """Return the level whose keys can have different values; requests differ by listing."""
    if any(isinstance(one, RequestField) for one in sources(catalogue, declared)):
        return Level.LISTING
    return infer_level(catalogue, declared) or Level.LISTING


def source_tables(catalogue: Catalogue, declared: FeatureDeclaration) -> tuple[str, ...]:
    """Return the source tables without which a feature is null, each once."""
    needs: dict[str, None] = {}
    for one in sources(catalogue, declared):
        if isinstance(one, RequestField):
            continue
        states = (one.states,) if isinstance(one, Fulfilled) else ()
        for signal in (one.signal, *states):
            needs.update(dict.fromkeys(SIGNALS[signal].needs))
    return tuple(needs)


def dependants(catalogue: Catalogue, declared: FeatureDeclaration) -> tuple[str, ...]:
    """Return the derived features that take a feature as an input."""
    return tuple(one.name for one in catalogue.derived if declared.name in one.inputs)
