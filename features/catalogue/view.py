"""The catalogue as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from features.catalogue.describe import FeatureDescription, format_bounds
from features.declarations.kinds import FeatureFamily

MIN_DESCRIPTION: Final = 40
"""Columns of text below which a description is unpleasant to read."""

_TITLE_FIELDS: Final = ("name", "description", "kind_means", "level_means", "low", "high")
_FACT_LABELS: Final = {"empty_history": "without history", "used_by": "used by"}


def list_view(descriptions: Sequence[FeatureDescription]) -> RenderableType:
    """Return one table for each family, and the number of features."""
    inputs = sum(description.declared.is_input for description in descriptions)
    sentence = f"\n{inputs} inputs of the models, {len(descriptions) - inputs} evidence for them"
    count = Text(sentence, style="bold")
    return Group(*_family_tables(descriptions), count)


def _family_tables(descriptions: Sequence[FeatureDescription]) -> Iterator[RenderableType]:
    for family in FeatureFamily:
        members = [each for each in descriptions if each.declared.family is family]
        if members:
            yield Text(f"\n{family.value} ({len(members)})", style="bold")
            yield _table(members)


def _table(descriptions: Iterable[FeatureDescription]) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    for name in ("feature", "level", "use", "unit", "bounds"):
        grid.add_column(name)
    grid.add_column("description", min_width=MIN_DESCRIPTION)
    for description in descriptions:
        declared = description.declared
        row = (
            declared.name,
            description.level,
            description.facts["use"],
            declared.unit,
            format_bounds(declared),
            declared.description,
        )
        grid.add_row(*map(Text, row))
    return grid


def feature_view(description: FeatureDescription) -> RenderableType:
    """Return the description of a feature, with one line for each fact."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="dim")
    grid.add_column()
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
