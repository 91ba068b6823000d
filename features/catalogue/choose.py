"""Choose features by family, level, kind or name.

Upper case, hyphens and unfinished names are accepted; ambiguous names aren't.
"""

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
MAX_LISTED_NAMES: Final = 15
"""An error lists the allowed names up to this number."""
MIN_SIMILARITY: Final = 0.45


class UnknownNameError(SettingsError):
    """Refuse an unknown name of a feature, family, level or kind; suggest similar names."""

    def __init__(self, noun: str, name: str, allowed: Iterable[str], command: str) -> None:
        names = list(allowed)
        similar = difflib.get_close_matches(
            _normalise(name), names, n=MAX_MATCHES, cutoff=MIN_SIMILARITY
        )
        suggestion = f"Did you mean {' or '.join(similar)}? " if similar else ""
        choices = f"Choose one of {join_names(names)}. " if len(names) <= MAX_LISTED_NAMES else ""
        super().__init__(
            problem=f"No {noun} is called {escape(name)}.",
            hint=f"{suggestion}{choices}See `{command}`.",
        )


@dataclass(frozen=True, kw_only=True)
class FeatureFilter:
    """Which features to list; None means all."""

    family: str | None = None
    level: str | None = None
    kind: str | None = None


def choose(catalogue: Catalogue, wanted: FeatureFilter) -> list[FeatureDescription]:
    """Return the descriptions of the features that pass a filter, in design matrix order.

    Raises:
        UnknownNameError: a name matches no family, level or kind, or several.
    """
    descriptions = [describe(catalogue, declared) for declared in all_declarations(catalogue)]
    families = [family.value for family in FeatureFamily]
    levels = [*(level.value for level in Level), REQUEST]
    kinds = list(dict.fromkeys(description.facts["kind"] for description in descriptions))
    family = _match("family", wanted.family, families)
    level = _match("level", wanted.level, levels)
    kind = _match("kind", wanted.kind, kinds)
    return [
        description
        for description in descriptions
        if family in {None, description.facts["family"]}
        and level in {None, description.level}
        and kind in {None, description.facts["kind"]}
    ]


def resolve_name(catalogue: Catalogue, name: str) -> FeatureDeclaration:
    """Return the declaration that a user named.

    Raises:
        UnknownNameError: there is no such feature or request field.
    """
    names = [declared.name for declared in all_declarations(catalogue)]
    if name not in names:
        raise UnknownNameError("feature", name, names, "xuanpin features list")
    return find_declaration(catalogue, name)


def _match(noun: str, name: str | None, allowed: Sequence[str]) -> str | None:
    """Return the allowed name that equals `name`, else the only one that begins with it."""
    if name is None:
        return None
    exact = [value for value in allowed if _normalise(value) == _normalise(name)]
    longer = [value for value in allowed if _normalise(value).startswith(_normalise(name))]
    matches = exact or longer
    if len(matches) != 1:
        raise UnknownNameError(noun, name, allowed, "xuanpin features list --help")
    return matches[0]


def _normalise(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
