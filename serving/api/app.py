"""The HTTP endpoints as a Starlette application: probes, scores and explanations."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.access.gate import guard
from serving.access.key_ring import KeyRing
from serving.api.drain import Drain, stop_with_master
from serving.api.error_response import (
    get_request_id,
    handle_error,
    json_response,
    refusal_response,
)
from serving.api.metrics import CONTENT_TYPE, MetricsMiddleware, get_metrics
from serving.api.model_about import describe_model
from serving.api.request_body import read_body
from serving.api.served import Load, ServedArtefacts
from serving.api.settings import ServingSettings
from serving.api.strict_json import parse_json
from serving.api.worker_pool import BoundedWorkerPool
from serving.decision_log.decision_log import Begin, create_log
from serving.errors import InvalidPredictionError
from serving.explanation.explain import explain
from serving.scoring.admission import admit_all
from serving.scoring.candidates import ExplainRequest, ScoreRequest, parse_request
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

    def __init__(self, settings: ServingSettings, load: Load, drain: Drain) -> None:
        """Start without artefacts; `load` returns them (serving/api/served.py)."""
        self.artefacts = ServedArtefacts(load)
        self.log = create_log(settings.decision_log, on_drop=get_metrics().log_drops.inc)
        self._settings = settings
        self._seconds = settings.deadline_ms / 1_000
        self._pool = BoundedWorkerPool(
            threads=settings.scoring_threads, max_waiting=settings.max_waiting
        )
        self._drain = drain

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
        served = self.artefacts.current
        if served is None:
            return refusal_response(request, RequestRefusedError("no_model"))
        if self.log.is_blocked:
            return refusal_response(request, RequestRefusedError("log_unavailable"))
        about = {
            "ready": True,
            "bundle_id": served.bundle.bundle_id,
            "snapshot_id": served.snapshot.snapshot_id,
            "refused": self.artefacts.refused,
        }
        return json_response(request, msgspec.json.encode(about))

    async def model(self, request: Request) -> Response:
        """Answer which artefacts are in use, and how good the bundle was found to be."""
        served = self.artefacts.current
        if served is None:
            raise RequestRefusedError("no_model")
        return json_response(request, msgspec.json.encode(describe_model(served)))

    async def score(self, request: Request) -> Response:
        """Score the candidates in the body."""
        begin = self.log.begin(get_request_id(request), getattr(request.state, "key_id", ""))
        return await self._answer(request, partial(answer_request, begin=begin))

    async def explain(self, request: Request) -> Response:
        """Explain the predictions of the candidates in the body."""
        return await self._answer(request, answer_explain_request)

    async def _answer(
        self, request: Request, answer: Callable[[LoadedArtefacts, bytes], bytes]
    ) -> Response:
        """Answer with what `answer` makes of the body, in a scoring thread."""
        if self._drain.begun.is_set():
            raise RequestRefusedError("stopping")
        served = self.artefacts.current
        if served is None:
            raise RequestRefusedError("no_model")
        limit, seconds = self._settings.max_body_bytes, self._seconds
        metrics = get_metrics()
        with self._drain.count_request():
            with metrics.time_stage("body"):
                body = await read_body(request, limit=limit, seconds=seconds)
            work = metrics.time_work(partial(answer, served, body))
            with metrics.waiting.track_inprogress():
                content = await self._pool.run(seconds, work)
        return json_response(request, content)

    async def metrics(self, _: Request) -> Response:
        """Answer the metrics of all workers; reading their files takes some milliseconds."""
        content = await asyncio.to_thread(get_metrics().render)
        return Response(content, media_type=CONTENT_TYPE)


def answer_request(served: LoadedArtefacts, body: bytes, *, begin: Begin) -> bytes:
    """Return the JSON answer to a body of `POST /v1/score`, and log the decision.

    Raises:
        RequestRefusedError: the body can't be scored, or the decision not be logged.
        InvalidPredictionError: a model gives a value that isn't a share.
    """
    request = parse_request(parse_json(body), ScoreRequest)
    with begin(len(request.candidates)) as record:
        admitted = admit_all(served.snapshot, request.candidates)
        scoring = score_with_inputs(
            served.bundle, served.snapshot, admitted, coverage=request.coverage
        )
        record(scoring)
    get_metrics().count_batch(scoring.answer)
    return msgspec.json.encode(scoring.answer)


def answer_explain_request(served: LoadedArtefacts, body: bytes) -> bytes:
    """Return the JSON answer to a body of `POST /v1/explain`.

    Raises:
        RequestRefusedError: the body can't be explained.
        InvalidPredictionError: a model gives a value that isn't a share.
    """
    request = parse_request(parse_json(body), ExplainRequest)
    batch = explain(served.bundle, served.snapshot, request.candidates, most=request.features)
    return msgspec.json.encode(batch)


def _run_in_background(work: Callable[[], None]) -> asyncio.Future[None]:
    """Run `work` in a thread that can't keep the process alive: a disk of the network may hang."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()  # whoever waits may stop waiting; the thread goes on

    def run() -> None:
        try:
            work()
        except Exception:
            _logger.exception("loading failed")
        future.set_result(None)

    threading.Thread(target=run, name="loading", daemon=True).start()
    return asyncio.wrap_future(future)


async def _keep_fresh(
    artefacts: ServedArtefacts,
    seconds: float,
    hangup: asyncio.Event,
    *,
    after: asyncio.Future[None],
) -> None:
    """Look for newly published artefacts every so many seconds, and at SIGHUP."""
    await asyncio.shield(after)
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(hangup.wait(), seconds)
        hangup.clear()
        await _run_in_background(artefacts.refresh)


@contextmanager
def _watch_hangups() -> Iterator[asyncio.Event]:
    """Yield an event that SIGHUP sets; in another thread than the main one nothing sets it."""
    hangup = asyncio.Event()
    if threading.current_thread() is not threading.main_thread():
        yield hangup
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    try:
        yield hangup
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def build_app(settings: ServingSettings, load: Load, drain: Drain | None = None) -> Starlette:
    """Build the application; it answers as soon as `load` has returned or failed once.

    Until then connections wait, and other workers take them. If `load` takes longer than
    `PATIENCE_SECONDS`, it continues while the application answers probes. A stop signal ends the
    waiting. Later `load` is called every `reload_seconds` with what is served, and at SIGHUP.
    `drain` says whether the process was told to stop, by default after signals only.
    """
    drain = drain or Drain(seconds=settings.drain_seconds, patience=settings.graceful_seconds)
    endpoints = Endpoints(settings, load, drain)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with drain.delay_signals(), _watch_hangups() as hangup:
            endpoints.log.start()
            watching = [asyncio.create_task(stop_with_master(os.environ))]
            loading = _run_in_background(endpoints.artefacts.refresh)
            stopping = asyncio.ensure_future(drain.begun.wait())
            ends: list[asyncio.Future[Any]] = [loading, stopping]
            await asyncio.wait(ends, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)

            fresh = _keep_fresh(endpoints.artefacts, settings.reload_seconds, hangup, after=loading)
            watching.append(asyncio.create_task(fresh))
            yield
            for task in (*watching, stopping):
                task.cancel()
            await asyncio.wait([loading], timeout=LEAVE_SECONDS)
            endpoints.close()
            await asyncio.to_thread(endpoints.log.close, settings.graceful_seconds)

    app = Starlette(
        routes=[
            Route("/livez", endpoints.livez, methods=["GET"]),
            Route("/readyz", endpoints.readyz, methods=["GET"]),
            Route("/v1/score", endpoints.score, methods=["POST"]),
            Route("/v1/explain", endpoints.explain, methods=["POST"]),
            Route("/v1/model", endpoints.model, methods=["GET"]),
            Route("/metrics", endpoints.metrics, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys(HANDLED_ERRORS, handle_error),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would repeat the requested path
    paths = [route.path for route in app.routes if isinstance(route, Route)]
    app.add_middleware(MetricsMiddleware, routes=paths)
    guard(app, None if settings.keys is None else KeyRing(settings.keys, workers=settings.workers))
    return app
