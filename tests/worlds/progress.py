"""What work under test reports of its progress."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reports:
    """A progress callback that keeps all that it is told."""

    stages: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def __call__(self, stage: str, rows: int = 0, /) -> None:
        self.stages.append(stage)
        self.rows.append(rows)
