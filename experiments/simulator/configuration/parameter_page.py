"""The parameters of the market as Markdown: the tables of docs/market.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic.fields import FieldInfo

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.section import Section

NO_LIMIT: Final = 1e6
"""The highest value of a size that has no limit of its own."""


def parameter_page() -> str:
    """Return a table for each section: key, default, limits, and where the size comes from."""
    return "\n".join(line for section in _sections() for line in section)


def _sections() -> Iterator[list[str]]:
    for name, field in Simulation.model_fields.items():
        kind = field.annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            continue
        sizes = {key: one for key, one in kind.model_fields.items() if one.annotation is float}
        if sizes:
            rows = [_row(key, one) for key, one in sizes.items()]
            head = ["| key | default | limits | where it comes from |", "|---|---|---|---|"]
            yield [f"### `[{name}]`", "", (kind.__doc__ or "").strip(), "", *head, *rows, ""]


def _row(key: str, field: FieldInfo) -> str:
    low = next(one.ge for one in field.metadata if hasattr(one, "ge"))
    high = next(one.le for one in field.metadata if hasattr(one, "le"))
    limits = f"from {low:g}" if high == NO_LIMIT else f"{low:g} to {high:g}"
    return f"| `{key}` | {field.default:g} | {limits} | {field.description} |"
