"""Choosing features by family, level, kind or name, forgiving in form and not in meaning."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from features.catalogue.catalogue import Catalogue
from features.catalogue.describe import REQUEST, Described, describe
from features.catalogue.lineage import everything, find
from features.declarations.kinds import Declared, Family
from features.declarations.levels import Level
from features.runtime.errors import SettingsError
from features.runtime.text import listed, shown

MOST_MATCHES: Final = 5
ALIKE: Final = 0.45


class UnknownNameError(SettingsError):
    """Refuse a name of no feature, family, level or kind; say which look most like it."""

    def __init__(self, what: str, name: str, allowed: Iterable[str], command: str) -> None:
        names = list(allowed)
        alike = difflib.get_close_matches(_plain(name), names, n=MOST_MATCHES, cutoff=ALIKE)
        few = f"one of {listed(names)}" if len(names) <= MOST_MATCHES * 3 else f"the name of {what}"
        super().__init__(
            expected=few,
            found=shown(name),
            way_out=f"Did you mean {' or '.join(alike)}? " * bool(alike) + f"See `{command}`.",
        )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which features to list; None stands for all."""

    family: str | None = None
    level: str | None = None
    kind: str | None = None


def chosen(catalogue: Catalogue, choice: Choice) -> list[Described]:
    """Return the features of a choice, in the order of the design matrix.

    Raises:
        UnknownNameError: there is no such family, level or kind.
    """
    described = [describe(catalogue, one) for one in everything(catalogue)]
    families = [family.value for family in Family]
    levels = [*(level.value for level in Level), REQUEST]
    kinds = list(dict.fromkeys(one.facts["kind"] for one in described))
    family = _one_of("a family", choice.family, families)
    level = _one_of("a level", choice.level, levels)
    kind = _one_of("a kind", choice.kind, kinds)
    return [
        one
        for one in described
        if family in {None, one.facts["family"]}
        and level in {None, one.level}
        and kind in {None, one.facts["kind"]}
    ]


def named(catalogue: Catalogue, name: str) -> Declared:
    """Return the declaration of a name.

    Raises:
        UnknownNameError: there is none.
    """
    names = [declared.name for declared in everything(catalogue)]
    if name not in names:
        raise UnknownNameError("a feature", name, names, "xuanpin features list")
    return find(catalogue, name)


def _one_of(what: str, name: str | None, allowed: Sequence[str]) -> str | None:
    """Return the allowed name that is meant, in any case, or the only one that begins so."""
    if name is None:
        return None
    exact = [one for one in allowed if _plain(one) == _plain(name)]
    begun = [one for one in allowed if _plain(one).startswith(_plain(name))]
    meant = exact or begun
    if len(meant) != 1:
        raise UnknownNameError(what, name, allowed, "xuanpin features list --help")
    return meant[0]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
