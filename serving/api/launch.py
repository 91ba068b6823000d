"""Build the command and the environment that start the BentoML server."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from serving.api.preflight import HOME_VARIABLE, HomeRefusedError
from serving.api.settings import ServingSettings, to_environment

LEAN_ENVIRONMENT: Final = {
    "BENTOML_DO_NOT_TRACK": "True",
    "OTEL_SDK_DISABLED": "true",
    "OMP_NUM_THREADS": "1",
}
"""No usage reports, no telemetry spans, and one OpenMP thread: a second one would spin after each
prediction on a core that another worker needs."""


def build_command(settings: ServingSettings) -> list[str]:
    """Return the command that serves in the foreground until SIGTERM or Ctrl+C.

    BentoML looks for the service in its working directory first. That is the directory of this
    package, so another package `serving` in the caller's directory can't replace it.
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
    """Return the server's environment: the caller's, `LEAN_ENVIRONMENT` and the settings.

    BentoML makes directories in its home when it is imported. They go into the cache unless the
    caller has set a home.

    Raises:
        HomeRefusedError: the account has no home directory, and none is set.
    """
    home = {HOME_VARIABLE: environment.get(HOME_VARIABLE) or _default_home(environment)}
    return {**environment, **home, **LEAN_ENVIRONMENT, **to_environment(settings)}


def _default_home(environment: Mapping[str, str]) -> str:
    try:
        cache = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:
        raise HomeRefusedError("~/.cache", "this account has no home directory") from error
    return str(Path(cache) / "xuanpin" / "bentoml")
