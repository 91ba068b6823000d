"""The catalogue as a person reads it in a terminal, or in a file of bounded width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from features.catalogue.describe import Described, bounds
from features.declarations.kinds import Family

MOST_WIDTH: Final = 140
"""Columns of text at most, and where nobody watches exactly."""

_SAID_ABOVE: Final = ("name", "description", "kind_means", "level_means", "low", "high")
_IN_WORDS: Final = {"empty_history": "of an empty history", "used_by": "used by"}


def list_view(described: Sequence[Described], width: int) -> RenderableType:
    """Return one table a family, and the count; names are folded where they leave no room."""
    count = Text(f"\n{len(described)} of the models' inputs", style="bold")
    return Group(*_families(described, width), count)


def _families(described: Sequence[Described], width: int) -> Iterator[RenderableType]:
    for family in Family:
        ours = [one for one in described if one.declared.family is family]
        if ours:
            yield Text(f"\n{family.value} ({len(ours)})", style="bold")
            yield _table(ours, width)


def _table(described: Iterable[Described], width: int) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    is_wide = width >= MOST_WIDTH
    grid.add_column("feature", overflow="fold", min_width=24, no_wrap=is_wide)
    for name in ("level", "unit"):
        grid.add_column(name, overflow="fold", max_width=17)
    grid.add_column("bounds", no_wrap=True)
    grid.add_column("is", overflow="fold")
    for one in described:
        declared = one.declared
        row = (declared.name, one.level, declared.unit, bounds(declared), declared.description)
        grid.add_row(*map(Text, row))
    return grid


def feature_view(one: Described) -> RenderableType:
    """Return all that is declared of a feature, a line a fact."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in _told(one):
        grid.add_row(name, Text(fact))
    title = Text(one.declared.name, style="bold")
    return Group(title, Text(one.declared.description), Text(), grid)


def _told(one: Described) -> Iterator[tuple[str, str]]:
    facts = one.facts
    for name, fact in facts.items():
        if name in _SAID_ABOVE:
            continue
        if name == "unit":
            yield "unit", fact
            yield "bounds", f"{bounds(one.declared)}; null where it can't be known"
        elif name in {"kind", "level"}:
            means = facts[f"{name}_means"]
            yield name, fact if means == fact else f"{fact}: {means}"
        else:
            yield _IN_WORDS.get(name, name), _in_words(fact)


def _in_words(fact: Any) -> str:  # noqa: ANN401 - any field of a declaration
    match fact:
        case dict():
            return ", ".join(f"{key} {sign:+d}" for key, sign in fact.items()) or "-"
        case tuple():
            return ", ".join(fact) or "-"
        case None | "":
            return "-"
    return str(fact)
