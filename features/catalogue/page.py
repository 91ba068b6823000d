"""Write features/CATALOG.md from the declarations: `python -m features.catalogue.page`."""

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

<!-- Made by `{command}` from features/catalogue/families/. -->

The models have {count} inputs: {request} come with the request, {base} are computed from the source
tables, and {derived} are derived. {evidence} more features are *evidence*: they are computed and
stored because inputs are derived from them, but no model sees them. `xuanpin features list` filters
all of them; `xuanpin features describe NAME` shows everything about one.

- **Point in time.** A value at a moment uses only events that were available by then. The contract
  gives no times for the attributes of a product or a listing (category, supplier, weight, cost,
  mode), so today's attributes are used for all of the past. A state that lasts (a requirement, the
  return window of a delivered unit) counts until it ends.
- **Null** means that the value can't be known: a ratio has no denominator, or a table is absent.
  A count is 0 for a key without any known event, and for a row without that key (no supplier, or
  no creator).
- **Bounds** hold for every value that isn't null. `xuanpin features check` verifies them.
- **Level** names the key that a feature describes. A derived feature has the narrowest level of its
  inputs.
- **Sign** is a monotone constraint: a higher value never lowers (+) or never raises (-) the
  prediction.

| level | meaning | keys |
|---|---|---|
{levels}
| kind | meaning |
|---|---|
{kinds}"""


def catalogue_page(catalogue: Catalogue) -> str:
    """Return the page in Markdown, with one table for each family."""
    declared = all_declarations(catalogue)
    head = _HEAD.format(
        command=COMMAND,
        count=len(catalogue.inputs),
        request=len(catalogue.request_fields),
        base=sum(feature.is_input for feature in catalogue.base),
        derived=sum(feature.is_input for feature in catalogue.derived),
        evidence=len(declared) - len(catalogue.inputs),
        levels=_level_rows(),
        kinds=_kind_rows(declared),
    )
    descriptions = [describe(catalogue, feature) for feature in declared]
    return head + "".join(_section(family, descriptions) for family in FeatureFamily)


def _level_rows() -> str:
    keys = {level: ", ".join(f"`{key}`" for key in LEVEL_KEYS[level]) for level in LEVEL_KEYS}
    lines = [f"| {level.value} | {LEVEL_TITLES[level]} | {keys[level]} |\n" for level in keys]
    return "".join(lines)


def _kind_rows(declared: Sequence[FeatureDeclaration]) -> str:
    kinds = dict.fromkeys(type(feature) for feature in declared)
    return "".join(f"| {kind.__name__} | {describe_kind(kind)} |\n" for kind in kinds)


def _section(family: FeatureFamily, descriptions: Sequence[FeatureDescription]) -> str:
    rows = [_row(each) for each in descriptions if each.declared.family is family]
    return (
        f"\n## {family.value[0].upper()}{family.value[1:]}\n\n"
        "| feature | description | unit | bounds | level | kind | use |\n"
        "|---|---|---|---|---|---|---|\n" + "".join(rows)
    )


def _row(description: FeatureDescription) -> str:
    declared = description.declared
    signs = ", ".join(f"{target} {sign:+d}"[:-1] for target, sign in declared.monotone)
    cells = (
        f"`{declared.name}`",
        declared.description + (f" Sign: {signs}." if signs else ""),
        declared.unit,
        format_bounds(declared),
        description.level,
        description.facts["kind"],
        description.facts["use"],
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(catalogue_page(CATALOGUE))
