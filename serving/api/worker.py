"""The application that each worker process runs, under uvicorn or mounted in BentoML."""

from __future__ import annotations

import gc
import logging
import os
from typing import Final

from starlette.applications import Starlette

from features.runtime.settings import load_section
from serving.api.app import build_app
from serving.api.published import PublishedArtefacts, find_state
from serving.api.settings import ServingSettings

_logger: Final = logging.getLogger("serving")


def create_app() -> Starlette:
    """Create the application for the run directory that the environment names."""
    settings = load_section(ServingSettings, "serving", file=None)
    _logger.setLevel(logging.INFO)  # others' loggers stay at warnings; a refusal logs one line
    return build_app(settings, PublishedArtefacts(settings, find_state(os.environ), freeze))


def freeze() -> None:
    """Exempt all objects made so far from garbage collection.

    They live as long as the process, and walking them delays single requests
    (docs/decisions/frozen-garbage-collector.md). Artefacts that are loaded later aren't exempt: one
    day they are freed.
    """
    gc.collect()
    gc.freeze()
