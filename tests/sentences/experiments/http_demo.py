from __future__ import annotations

from pathlib import Path

from experiments.http_demo import NoCandidatesError, NotReadyError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        NotReadyError(Path("var/run"), '{"error": "no_model"}', 60),
        (
            'The service wasn\'t ready within 60 s: {"error": "no_model"}. Start it by hand and '
            "read its messages: `xuanpin serve --run var/run`."
        ),
    ),
    (
        NoCandidatesError(Path("var/run/candidates.csv")),
        (
            "There are no candidates in var/run/candidates.csv. Make a run with `xuanpin run`: it "
            "proposes candidates."
        ),
    ),
]
