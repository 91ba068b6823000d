"""List the parameters of the market as Markdown, for docs/market.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic.fields import FieldInfo

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.section import Section

NO_LIMIT: Final = 1e6
"""The upper limit of a parameter that declares none."""


def parameter_page() -> str:
    """Return a table for each section: key, default, limits, and the source of the value."""
    return "\n".join(line for section in _sections() for line in section)


def _sections() -> Iterator[list[str]]:
    for name, field in Simulation.model_fields.items():
        kind = field.annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            continue
        sizes = {key: size for key, size in kind.model_fields.items() if size.annotation is float}
        if sizes:
            rows = [_format_row(key, size) for key, size in sizes.items()]
            head = ["| key | default | limits | where it comes from |", "|---|---|---|---|"]
            yield [f"### `[{name}]`", "", (kind.__doc__ or "").strip(), "", *head, *rows, ""]


def _format_row(key: str, field: FieldInfo) -> str:
    low = next(limit.ge for limit in field.metadata if hasattr(limit, "ge"))
    high = next(limit.le for limit in field.metadata if hasattr(limit, "le"))
    limits = f"from {low:g}" if high == NO_LIMIT else f"{low:g} to {high:g}"
    return f"| `{key}` | {field.default:g} | {limits} | {field.description} |"
