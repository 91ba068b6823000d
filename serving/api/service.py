"""The service as BentoML serves and builds it; no other file imports BentoML (docs.bentoml.com).

`bentoml serve serving.api.service:service` supplies processes, sockets and signals, and runs the
lifespan of the mounted application, which answers every HTTP request. BentoML's own pages, schema
and metrics aren't reachable, because they don't use the error response and their labels aren't
bounded. `xuanpin serve` runs the same application without BentoML (serving/api/supervisor.py).
"""

from __future__ import annotations

import logging
from typing import Any, Final

import bentoml
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from features.runtime.settings import load_section
from serving.api.settings import ServingSettings
from serving.api.worker import create_app

SECONDS_BEYOND_DEADLINE: Final = 30
"""BentoML's own timeout doesn't use the error response, so the application's must come first."""

_logger: Final = logging.getLogger(__name__)


class ApplicationMiddleware:
    """ASGI middleware that passes every HTTP request to the application."""

    def __init__(self, app: ASGIApp, application: Starlette) -> None:
        """Wrap BentoML's `app`, which gets everything that isn't HTTP."""
        self._app = app
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application or to BentoML."""
        app = self._application if scope["type"] == "http" else self._app
        await app(scope, receive, send)


class Xuanpin:
    """The class that BentoML runs in each worker; the mounted application does all the work."""


def create_service(settings: ServingSettings) -> Any:  # noqa: ANN401 - BentoML ships no types
    """Create the service with the number of workers and the deadline of its settings."""
    app = create_app()
    if settings.keys is None:
        _logger.warning("no API keys: only requests from this machine are answered")
    service = bentoml.service(
        name="xuanpin",
        workers=settings.workers,
        traffic={"timeout": 2 * settings.deadline_ms / 1_000 + SECONDS_BEYOND_DEADLINE},
        metrics={"enabled": False},
        logging={"access": {"enabled": False}},
    )(Xuanpin)
    service.mount_asgi_app(app, path="/")
    service.add_asgi_middleware(ApplicationMiddleware, application=app)
    return service


service: Final = create_service(load_section(ServingSettings, "serving", file=None))
