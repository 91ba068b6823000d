"""Build the command and the environment that start the server."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from serving.api.settings import ServingSettings, to_environment

LEAN_ENVIRONMENT: Final = {"OMP_NUM_THREADS": "1"}
"""One OpenMP thread: a second one would spin after each prediction on a core that another worker
needs."""


def build_command() -> list[str]:
    """Return the command that serves in the foreground until SIGTERM or Ctrl+C.

    -P: another package `serving` in the caller's directory can't replace this one.
    """
    return [sys.executable, "-P", "-m", "serving.api.supervisor"]


def build_environment(settings: ServingSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the server's environment: the caller's, `LEAN_ENVIRONMENT` and the settings."""
    return {**environment, **LEAN_ENVIRONMENT, **to_environment(settings)}
