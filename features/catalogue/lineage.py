"""Where a feature comes from: what it rests on, at which level, out of which tables, for whom."""

from __future__ import annotations

from features.catalogue.catalogue import Catalogue
from features.declarations.kinds import Base, Declared, Derived, Fulfilled, RequestField
from features.declarations.levels import Level
from features.signals.registry import SIGNALS


def find(catalogue: Catalogue, name: str) -> Declared:
    """Return a declaration by its name.

    Raises:
        KeyError: there is none, which is a fault of the caller.
    """
    return {declared.name: declared for declared in everything(catalogue)}[name]


def everything(catalogue: Catalogue) -> tuple[Declared, ...]:
    """Return all that is declared, in the order of the design matrix."""
    return (*catalogue.request_fields, *catalogue.features)


def roots(catalogue: Catalogue, declared: Declared) -> tuple[Base | RequestField, ...]:
    """Return what a feature is computed from in the end: itself, unless it is derived."""
    by_name = {one.name: one for one in everything(catalogue)}
    found: dict[str, Base | RequestField] = {}
    todo = [declared]
    while todo:
        one = todo.pop(0)
        if isinstance(one, Derived):
            todo += [by_name[name] for name in one.inputs]
        else:
            found[one.name] = one  # type: ignore[assignment]  # what isn't derived is a root
    return tuple(found.values())


def level_of(catalogue: Catalogue, declared: Declared) -> Level | None:
    """Return what a feature is a fact about: of a derived one, the narrowest level it rests on.

    None for what only the request knows.
    """
    levels = {one.level for one in roots(catalogue, declared) if not isinstance(one, RequestField)}
    return next((level for level in Level if level in levels), None)


def varies_with(catalogue: Catalogue, declared: Declared) -> Level:
    """Return the level whose keys can have different values; requests differ by listing."""
    if any(isinstance(one, RequestField) for one in roots(catalogue, declared)):
        return Level.LISTING
    return level_of(catalogue, declared) or Level.LISTING


def tables_of(catalogue: Catalogue, declared: Declared) -> tuple[str, ...]:
    """Return the source tables without which a feature is null, each once."""
    needs: dict[str, None] = {}
    for one in roots(catalogue, declared):
        if isinstance(one, RequestField):
            continue
        states = (one.states,) if isinstance(one, Fulfilled) else ()
        for signal in (one.signal, *states):
            needs.update(dict.fromkeys(SIGNALS[signal].needs))
    return tuple(needs)


def users_of(catalogue: Catalogue, declared: Declared) -> tuple[str, ...]:
    """Return the derived features that take a feature as an input."""
    return tuple(one.name for one in catalogue.derived if declared.name in one.inputs)
