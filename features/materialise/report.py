"""What `xuanpin features materialise` says, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from features.declarations.levels import LEVEL_TITLES
from features.materialise.refresh import RefreshResult


def snapshot_page(refreshed: RefreshResult, directory: Path) -> RenderableType:
    """Return what was materialised, level by level."""
    about = refreshed.contents.about
    table = Table("level", "features", "keys", "computed")
    for level, one in about.levels.items():
        computed = f"{refreshed.computed[level]:,}"
        table.add_row(LEVEL_TITLES[level], str(len(one.features)), f"{one.keys:,}", computed)
    lines: list[RenderableType] = [table]
    if refreshed.full_reason is not None:
        lines.append(f"All keys were computed: {refreshed.full_reason}.")
    lines.append(f"The snapshot of {about.as_of:%Y-%m-%d} is in {directory}, and in use.")
    return Group(*lines)


def snapshot_json(refreshed: RefreshResult, directory: Path) -> str:
    """Return the same for a program."""
    about = refreshed.contents.about
    facts = {
        "snapshot_id": directory.name,
        "directory": str(directory),
        "as_of": about.as_of.isoformat(),
        "catalogue_fingerprint": about.catalogue_fingerprint,
        "all_because": refreshed.full_reason,
        "levels": {
            level.value: {"keys": one.keys, "computed": refreshed.computed[level]}
            for level, one in about.levels.items()
        },
    }
    return json.dumps(facts, indent=2) + "\n"
