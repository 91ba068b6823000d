"""The page features/CATALOG.md, made of the declarations: `python -m features.catalogue.page`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.catalogue.describe import FeatureDescription, describe, describe_kind, format_bounds
from features.catalogue.lineage import all_declarations
from features.declarations.kinds import FeatureDeclaration, FeatureFamily
from features.declarations.levels import LEVEL_KEYS, LEVEL_TITLES

COMMAND: Final = "python -m features.catalogue.page > features/CATALOG.md"

_HEAD: Final = """# The catalogue of features

<!-- Made by `{command}` out of features/catalogue/families/. -->

{count} columns go into the models: {request} that the request brings, {base} computed from the
tables and {derived} derived from those. `xuanpin features list` filters them,
`xuanpin features describe NAME` tells all that is declared of one.

- **Known then.** A value at a moment rests on events that were available by then, and on no others.
  What a product or a listing is (category, supplier, weight, cost, mode) has no times in the
  contract: today's value stands for all of the past. What lasts (a requirement, the return window
  of a delivered unit) counts until it ends.
- **Null** is what can't be known: a ratio without a denominator, or a table that isn't there.
  Counts of a key that nothing is known of are 0, also where a row has no such key: no supplier,
  nobody who filmed it.
- **Bounds** hold for every value that isn't null; `xuanpin features check` looks whether they do.
- **The level** says what a feature is a fact about; of a derived one, the narrowest of its inputs.
- **A sign** says that more of it never lowers (+) or never raises (-) a prediction.

| level | is | keys |
|---|---|---|
{levels}
| kind | means |
|---|---|
{kinds}"""


def catalogue_page(catalogue: Catalogue) -> str:
    """Return the page: a table a family, in Markdown."""
    declared = all_declarations(catalogue)
    head = _HEAD.format(
        command=COMMAND,
        count=len(declared),
        request=len(catalogue.request_fields),
        base=len(catalogue.base),
        derived=len(catalogue.derived),
        levels=_levels(),
        kinds=_kinds(declared),
    )
    described = [describe(catalogue, one) for one in declared]
    return head + "".join(_section(family, described) for family in FeatureFamily)


def _levels() -> str:
    keys = {level: ", ".join(f"`{key}`" for key in LEVEL_KEYS[level]) for level in LEVEL_KEYS}
    lines = [f"| {level.value} | {LEVEL_TITLES[level]} | {keys[level]} |\n" for level in keys]
    return "".join(lines)


def _kinds(declared: Sequence[FeatureDeclaration]) -> str:
    kinds = dict.fromkeys(type(one) for one in declared)
    return "".join(f"| {kind.__name__} | {describe_kind(kind)} |\n" for kind in kinds)


def _section(family: FeatureFamily, described: Sequence[FeatureDescription]) -> str:
    ours = [one for one in described if one.declared.family is family]
    return (
        f"\n## {family.value[0].upper()}{family.value[1:]}\n\n"
        "| feature | what it is | unit | bounds | level | kind |\n"
        "|---|---|---|---|---|---|\n" + "".join(_line(one) for one in ours)
    )


def _line(one: FeatureDescription) -> str:
    declared = one.declared
    signs = ", ".join(f"{target} {sign:+d}"[:-1] for target, sign in declared.monotone)
    cells = (
        f"`{declared.name}`",
        declared.description + (f" Sign: {signs}." if signs else ""),
        declared.unit,
        format_bounds(declared),
        one.level,
        one.facts["kind"],
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(catalogue_page(CATALOGUE))
