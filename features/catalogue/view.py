"""The catalogue as text, for a terminal or a file of bounded width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from features.catalogue.describe import FeatureDescription, format_bounds
from features.declarations.kinds import FeatureFamily

MAX_WIDTH: Final = 140
"""Most columns of text on a terminal; the exact number in a file."""

_TITLE_FIELDS: Final = ("name", "description", "kind_means", "level_means", "low", "high")
_FACT_LABELS: Final = {"empty_history": "without history", "used_by": "used by"}


def list_view(descriptions: Sequence[FeatureDescription], width: int) -> RenderableType:
    """Return one table for each family, and the number of features.

    Long names are folded on a narrow terminal.
    """
    count = Text(f"\n{len(descriptions)} inputs of the models", style="bold")
    return Group(*_family_tables(descriptions, width), count)


def _family_tables(
    descriptions: Sequence[FeatureDescription], width: int
) -> Iterator[RenderableType]:
    for family in FeatureFamily:
        members = [each for each in descriptions if each.declared.family is family]
        if members:
            yield Text(f"\n{family.value} ({len(members)})", style="bold")
            yield _table(members, width)


def _table(descriptions: Iterable[FeatureDescription], width: int) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    is_wide = width >= MAX_WIDTH
    grid.add_column("feature", overflow="fold", min_width=24, no_wrap=is_wide)
    for name in ("level", "unit"):
        grid.add_column(name, overflow="fold", max_width=17)
    grid.add_column("bounds", no_wrap=True)
    grid.add_column("description", overflow="fold")
    for description in descriptions:
        declared = description.declared
        row = (
            declared.name,
            description.level,
            declared.unit,
            format_bounds(declared),
            declared.description,
        )
        grid.add_row(*map(Text, row))
    return grid


def feature_view(description: FeatureDescription) -> RenderableType:
    """Return the description of a feature, with one line for each fact."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in _list_facts(description):
        grid.add_row(name, Text(fact))
    title = Text(description.declared.name, style="bold")
    return Group(title, Text(description.declared.description), Text(), grid)


def _list_facts(description: FeatureDescription) -> Iterator[tuple[str, str]]:
    facts = description.facts
    for name, fact in facts.items():
        if name in _TITLE_FIELDS:
            continue
        if name == "unit":
            yield "unit", fact
            yield "bounds", f"{format_bounds(description.declared)}; null where it can't be known"
        elif name in {"kind", "level"}:
            meaning = facts[f"{name}_means"]
            yield name, fact if meaning == fact else f"{fact}: {meaning}"
        else:
            yield _FACT_LABELS.get(name, name), _format_fact(fact)


def _format_fact(fact: Any) -> str:  # noqa: ANN401 - any field of a declaration
    match fact:
        case dict():
            return ", ".join(f"{key} {sign:+d}" for key, sign in fact.items()) or "-"
        case tuple():
            return ", ".join(map(str, fact)) or "-"
        case None | "":
            return "-"
    return str(fact)
