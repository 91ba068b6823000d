"""Identify a backtest by all that its result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from features.point_in_time.training_rows import CUT_OFF, DIGEST, FINGERPRINT
from serving.bundle.manifest import canonical_json, sha256_hex
from training.checkpoints.code_version import code_version, judging_version
from training.data.training_input import TrainingRecipe

NOT_COMPUTED_FROM: Final = {"threads", "tracking_uri", "experiment"}
"""Settings that models don't depend on."""


def backtest_facts(metadata: Mapping[bytes, bytes], recipe: TrainingRecipe) -> dict[str, Any]:
    """Return the facts that the judgement of an origin depends on, beside `code_version`.

    `metadata` is that of the training rows.
    """
    return {
        "rows": [metadata[name].decode() for name in (DIGEST, FINGERPRINT, CUT_OFF)],
        "horizons": recipe.horizons.model_dump(),
        "settings": recipe.settings.model_dump(exclude=NOT_COMPUTED_FROM),
        "judging": judging_version(),
    }


def backtest_key(metadata: Mapping[bytes, bytes], recipe: TrainingRecipe) -> str:
    """Return the SHA-256 of all that a backtest depends on but its number of origins."""
    facts = backtest_facts(metadata, recipe)
    return sha256_hex(canonical_json({"program": code_version(), "facts": facts}))
