"""The HTTP endpoints as a Starlette application: two probes and `POST /v1/score`."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.runtime.errors import ArtefactError
from serving.api.drain import Drain, stop_with_master
from serving.api.error_response import (
    get_request_id,
    handle_error,
    json_response,
    refusal_response,
)
from serving.api.request_body import read_body
from serving.api.settings import ServingSettings
from serving.api.strict_json import parse_json
from serving.api.worker_pool import BoundedWorkerPool
from serving.decision_log.decision_log import Begin, create_log
from serving.errors import InvalidPredictionError
from serving.scoring.admission import admit_all
from serving.scoring.candidates import parse_request
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.refusals import RequestRefusedError
from serving.scoring.score import score_with_inputs

HANDLED_ERRORS: Final = (RequestRefusedError, InvalidPredictionError, HTTPException, Exception)
"""Failures that get an error response; Starlette raises the last one again for the server."""

PATIENCE_SECONDS: Final = 10
LEAVE_SECONDS: Final = 1
"""For loading to come to its end before the process ends without it."""

_logger: Final = logging.getLogger(__name__)


class Endpoints:
    """The endpoints, and the artefacts that they serve once these are loaded."""

    def __init__(self, settings: ServingSettings, drain: Drain) -> None:
        """Start without artefacts."""
        self.served: LoadedArtefacts | None = None
        self.log = create_log(settings.decision_log)
        self._settings = settings
        self._seconds = settings.deadline_ms / 1_000
        self._pool = BoundedWorkerPool(
            threads=settings.scoring_threads, max_waiting=settings.max_waiting
        )
        self._drain = drain

    def load(self, load: Callable[[], LoadedArtefacts]) -> None:
        """Serve what `load` returns; if it refuses the artefacts, log why and serve nothing."""
        try:
            self.served = load()
        except ArtefactError as error:
            _logger.error("nothing to serve: %s", error)  # noqa: TRY400 - the message is complete

    def close(self) -> None:
        """End the scoring threads."""
        self._pool.close()

    async def livez(self, request: Request) -> Response:
        """Answer that the process is alive."""
        return json_response(request, b'{"alive":true}')

    async def readyz(self, request: Request) -> Response:
        """Answer which verified artefacts are loaded, or why none serve; don't log the probe."""
        if self._drain.begun.is_set():
            return refusal_response(request, RequestRefusedError("stopping"))
        if self.served is None:
            return refusal_response(request, RequestRefusedError("no_model"))
        if self.log.is_blocked:
            return refusal_response(request, RequestRefusedError("log_unavailable"))
        about = {
            "ready": True,
            "bundle_id": self.served.bundle.bundle_id,
            "snapshot_id": self.served.snapshot.snapshot_id,
        }
        return json_response(request, msgspec.json.encode(about))

    async def score(self, request: Request) -> Response:
        """Score the candidates in the body."""
        if self._drain.begun.is_set():
            raise RequestRefusedError("stopping")
        served = self.served
        if served is None:
            raise RequestRefusedError("no_model")
        limit, seconds = self._settings.max_body_bytes, self._seconds
        with self._drain.count_request():
            body = await read_body(request, limit=limit, seconds=seconds)
            begin = self.log.begin(get_request_id(request), getattr(request.state, "key_id", ""))
            answer = await self._pool.run(seconds, partial(answer_request, served, body, begin))
        return json_response(request, answer)


def answer_request(served: LoadedArtefacts, body: bytes, begin: Begin) -> bytes:
    """Return the JSON answer to a body of `POST /v1/score`, and log the decision.

    Raises:
        RequestRefusedError: the body can't be scored, or the decision not be logged.
        InvalidPredictionError: a model gives a value that isn't a share.
    """
    request = parse_request(parse_json(body))
    with begin(len(request.candidates)) as record:
        admitted = admit_all(served.snapshot, request.candidates)
        scoring = score_with_inputs(
            served.bundle, served.snapshot, admitted, coverage=request.coverage
        )
        record(scoring)
    return msgspec.json.encode(scoring.answer)


def _load_in_background(load: Callable[[], None]) -> asyncio.Future[None]:
    """Run `load` in a thread that can't keep the process alive: a disk of the network may hang."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            load()
        except Exception:
            _logger.exception("loading failed")
        future.set_result(None)

    threading.Thread(target=run, name="loading", daemon=True).start()
    return asyncio.wrap_future(future)


def build_app(
    settings: ServingSettings, load: Callable[[], LoadedArtefacts], drain: Drain | None = None
) -> Starlette:
    """Build the application; it answers as soon as `load` has returned or failed.

    Until then connections wait, and other workers take them. If `load` takes longer than
    `PATIENCE_SECONDS`, it continues while the application answers probes. A stop signal ends the
    waiting. `drain` says whether the process was told to stop, by default after signals only.
    """
    drain = drain or Drain(seconds=settings.drain_seconds, patience=settings.graceful_seconds)
    endpoints = Endpoints(settings, drain)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with drain.delay_signals():
            endpoints.log.start()
            watching = asyncio.create_task(stop_with_master(os.environ))
            loading = _load_in_background(partial(endpoints.load, load))
            stopping = asyncio.ensure_future(drain.begun.wait())
            ends: list[asyncio.Future[Any]] = [loading, stopping]
            await asyncio.wait(ends, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            yield
            watching.cancel()
            stopping.cancel()
            await asyncio.wait([loading], timeout=LEAVE_SECONDS)
            endpoints.close()
            await asyncio.to_thread(endpoints.log.close, settings.graceful_seconds)

    app = Starlette(
        routes=[
            Route("/livez", endpoints.livez, methods=["GET"]),
            Route("/readyz", endpoints.readyz, methods=["GET"]),
            Route("/v1/score", endpoints.score, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys(HANDLED_ERRORS, handle_error),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would repeat the requested path
    return app
