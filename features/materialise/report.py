"""Report of `xuanpin features materialise`, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from features.declarations.levels import LEVEL_TITLES
from features.materialise.refresh import RefreshResult
from features.runtime.text import quote_path


def snapshot_page(result: RefreshResult, directory: Path) -> RenderableType:
    """Return a table of the levels, and where the snapshot is."""
    about = result.contents.about
    table = Table("level", "features", "keys", "computed")
    for level, described in about.levels.items():
        counts = f"{described.keys:,}", f"{result.computed[level]:,}"
        table.add_row(LEVEL_TITLES[level], str(len(described.features)), *counts)
    lines: list[RenderableType] = [table]
    if result.full_reason is not None:
        lines.append(f"All keys were computed: {result.full_reason}.")
    lines.append(
        f"The snapshot of {about.as_of:%Y-%m-%d} is in {quote_path(directory)} and in use."
    )
    return Group(*lines)


def snapshot_json(result: RefreshResult, directory: Path) -> str:
    """Return the same facts as JSON."""
    about = result.contents.about
    facts = {
        "snapshot_id": directory.name,
        "directory": str(directory),
        "as_of": about.as_of.isoformat(),
        "catalogue_fingerprint": about.catalogue_fingerprint,
        "all_because": result.full_reason,
        "levels": {
            level.value: {"keys": described.keys, "computed": result.computed[level]}
            for level, described in about.levels.items()
        },
    }
    return json.dumps(facts, indent=2) + "\n"
