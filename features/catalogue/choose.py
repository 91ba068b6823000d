"""Choosing features by family, level, kind or name, forgiving in form and not in meaning."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from features.catalogue.catalogue import Catalogue
from features.catalogue.describe import REQUEST, FeatureDescription, describe
from features.catalogue.lineage import all_declarations, find_declaration
from features.declarations.kinds import FeatureDeclaration, FeatureFamily
from features.declarations.levels import Level
from features.runtime.errors import SettingsError
from features.runtime.text import escape, join_names

MAX_MATCHES: Final = 5
MIN_SIMILARITY: Final = 0.45


class UnknownNameError(SettingsError):
    """Refuse a name of no feature, family, level or kind; say which look most like it."""

    def __init__(self, what: str, name: str, allowed: Iterable[str], command: str) -> None:
        names = list(allowed)
        alike = difflib.get_close_matches(
            _normalise(name), names, n=MAX_MATCHES, cutoff=MIN_SIMILARITY
        )
        few = (
            f"one of {join_names(names)}"
            if len(names) <= MAX_MATCHES * 3
            else f"the name of {what}"
        )
        super().__init__(
            expected=few,
            found=escape(name),
            way_out=f"Did you mean {' or '.join(alike)}? " * bool(alike) + f"See `{command}`.",
        )


@dataclass(frozen=True, kw_only=True)
class FeatureFilter:
    """Which features to list; None stands for all."""

    family: str | None = None
    level: str | None = None
    kind: str | None = None


def choose(catalogue: Catalogue, choice: FeatureFilter) -> list[FeatureDescription]:
    """Return the features of a choice, in the order of the design matrix.

    Raises:
        UnknownNameError: there is no such family, level or kind.
    """
    described = [describe(catalogue, one) for one in all_declarations(catalogue)]
    families = [family.value for family in FeatureFamily]
    levels = [*(level.value for level in Level), REQUEST]
    kinds = list(dict.fromkeys(one.facts["kind"] for one in described))
    family = _match("a family", choice.family, families)
    level = _match("a level", choice.level, levels)
    kind = _match("a kind", choice.kind, kinds)
    return [
        one
        for one in described
        if family in {None, one.facts["family"]}
        and level in {None, one.level}
        and kind in {None, one.facts["kind"]}
    ]


def resolve_name(catalogue: Catalogue, name: str) -> FeatureDeclaration:
    """Return the declaration of a name.

    Raises:
        UnknownNameError: there is none.
    """
    names = [declared.name for declared in all_declarations(catalogue)]
    if name not in names:
        raise UnknownNameError("a feature", name, names, "xuanpin features list")
    return find_declaration(catalogue, name)


def _match(what: str, name: str | None, allowed: Sequence[str]) -> str | None:
    """Return the allowed name that is meant, in any case, or the only one that begins so."""
    if name is None:
        return None
    exact = [one for one in allowed if _normalise(one) == _normalise(name)]
    begun = [one for one in allowed if _normalise(one).startswith(_normalise(name))]
    meant = exact or begun
    if len(meant) != 1:
        raise UnknownNameError(what, name, allowed, "xuanpin features list --help")
    return meant[0]


def _normalise(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
