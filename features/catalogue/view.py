"""The catalogue as a person reads it in a terminal, or in a file of bounded width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from features.catalogue.describe import FeatureDescription, format_bounds
from features.declarations.kinds import FeatureFamily

MAX_WIDTH: Final = 140
"""Columns of text at most, and where nobody watches exactly."""

_TITLE_FIELDS: Final = ("name", "description", "kind_means", "level_means", "low", "high")
_FACT_LABELS: Final = {"empty_history": "of an empty history", "used_by": "used by"}


def list_view(described: Sequence[FeatureDescription], width: int) -> RenderableType:
    """Return one table a family, and the count; names are folded where they leave no room."""
    count = Text(f"\n{len(described)} of the models' inputs", style="bold")
    return Group(*_families(described, width), count)


def _families(described: Sequence[FeatureDescription], width: int) -> Iterator[RenderableType]:
    for family in FeatureFamily:
        ours = [one for one in described if one.declared.family is family]
        if ours:
            yield Text(f"\n{family.value} ({len(ours)})", style="bold")
            yield _table(ours, width)


def _table(described: Iterable[FeatureDescription], width: int) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    is_wide = width >= MAX_WIDTH
    grid.add_column("feature", overflow="fold", min_width=24, no_wrap=is_wide)
    for name in ("level", "unit"):
        grid.add_column(name, overflow="fold", max_width=17)
    grid.add_column("bounds", no_wrap=True)
    grid.add_column("is", overflow="fold")
    for one in described:
        declared = one.declared
        row = (
            declared.name,
            one.level,
            declared.unit,
            format_bounds(declared),
            declared.description,
        )
        grid.add_row(*map(Text, row))
    return grid


def feature_view(one: FeatureDescription) -> RenderableType:
    """Return all that is declared of a feature, a line a fact."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in _list_facts(one):
        grid.add_row(name, Text(fact))
    title = Text(one.declared.name, style="bold")
    return Group(title, Text(one.declared.description), Text(), grid)


def _list_facts(one: FeatureDescription) -> Iterator[tuple[str, str]]:
    facts = one.facts
    for name, fact in facts.items():
        if name in _TITLE_FIELDS:
            continue
        if name == "unit":
            yield "unit", fact
            yield "bounds", f"{format_bounds(one.declared)}; null where it can't be known"
        elif name in {"kind", "level"}:
            means = facts[f"{name}_means"]
            yield name, fact if means == fact else f"{fact}: {means}"
        else:
            yield _FACT_LABELS.get(name, name), _format_fact(fact)


def _format_fact(fact: Any) -> str:  # noqa: ANN401 - any field of a declaration
    match fact:
        case dict():
            return ", ".join(f"{key} {sign:+d}" for key, sign in fact.items()) or "-"
        case tuple():
            return ", ".join(fact) or "-"
        case None | "":
            return "-"
    return str(fact)
