"""The application that each worker process runs, under uvicorn or mounted in BentoML."""

from __future__ import annotations

import gc
import logging
from typing import Final

from starlette.applications import Starlette

from features.runtime.settings import load_section
from serving.api.app import build_app
from serving.api.settings import ServingSettings
from serving.scoring.loading import LoadedArtefacts, load_artefacts

_logger: Final = logging.getLogger("serving")


def create_app() -> Starlette:
    """Create the application for the run directory that the environment names."""
    settings = load_section(ServingSettings, "serving", file=None)
    _logger.setLevel(logging.INFO)  # others' loggers stay at warnings; a refusal logs one line
    return build_app(settings, lambda: load_and_freeze(settings))


def load_and_freeze(settings: ServingSettings) -> LoadedArtefacts:
    """Load the artefacts, then exempt all objects made so far from garbage collection.

    They live as long as the process, and walking them delays single requests
    (docs/decisions/frozen-garbage-collector.md).
    """
    served = load_artefacts(
        bundles=settings.bundles,
        snapshots=settings.snapshots,
        public_key=settings.public_key,
        max_snapshot_age_days=settings.max_snapshot_age_days,
    )
    gc.collect()
    gc.freeze()
    _logger.info(
        "serving bundle %s with snapshot %s", served.bundle.bundle_id, served.snapshot.snapshot_id
    )
    return served
