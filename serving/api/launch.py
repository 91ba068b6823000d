"""How the BentoML server is started: command and environment, as values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from serving.api.settings import ServingSettings, to_environment

LEAN_ENVIRONMENT: Final = {
    "BENTOML_DO_NOT_TRACK": "True",
    "OTEL_SDK_DISABLED": "true",
    "OMP_NUM_THREADS": "1",
}
"""No usage reports, no spans that nobody collects, and no second thread of OpenMP: it would spin
for a while after each prediction, on a core that another worker needs."""


def build_command(settings: ServingSettings) -> list[str]:
    """Return the command that serves in the foreground until SIGTERM or Ctrl+C.

    The working directory, where BentoML looks for the service first, is the one that holds this
    package: another `serving` in the directory of the caller can't take its place.
    """
    return [
        *(sys.executable, "-m", "bentoml", "serve", "serving.api.service:service"),
        *("--working-dir", str(Path(__file__).parents[2])),
        *("--host", str(settings.host)),
        *("--port", str(settings.port)),
        *("--timeout-graceful-shutdown", str(settings.graceful_seconds)),
        "--quiet",
    ]


def build_environment(settings: ServingSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the server: the caller's, the settings, and what keeps it lean.

    BentoML makes directories in its home when imported; unless the caller has one, they go into
    the cache.
    """
    cache = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = {"BENTOML_HOME": str(Path(cache) / "xuanpin" / "bentoml")}
    return {**home, **environment, **LEAN_ENVIRONMENT, **to_environment(settings)}
