"""Count and time what the service does, for Prometheus (prometheus.io, "Metric types").

Every label has few values, all of them this program's own: no path, key or id of a request. With a
supervisor the workers keep their numbers in files of its private directory, and whichever worker is
asked adds up those of all (prometheus_client, "Multiprocess Mode").
"""

from __future__ import annotations

import os
import time
from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Counter as CounterMetric
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.dataset.days import to_datetime
from serving.scoring.answers import ScoredBatch, Share
from serving.scoring.loading import LoadedArtefacts

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable that prometheus_client reads when it is imported."""
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
TENTHS: Final = 10
OTHER: Final = "other"
"""The route of every path that isn't the service's."""


class Metrics:
    """The metrics of this process; there is one set of them (`get_metrics`)."""

    def __init__(self) -> None:
        """Register the metrics, without a series for the time at which each counter began."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        count = partial(CounterMetric, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        clock = partial(Histogram, registry=self._registry, buckets=SECONDS)
        self.requests = count("xuanpin_requests", "Requests answered.", ["route", "status"])
        self.request_seconds = clock("xuanpin_request_seconds", "Time to an answer.", ["route"])
        self.stage_seconds = clock(
            "xuanpin_stage_seconds", "Time of a stage: body, waiting, work.", ["stage"]
        )
        self.refusals = count("xuanpin_refusals", "Requests refused.", ["code"])
        self.waiting = gauge(
            "xuanpin_requests_in_work",
            "Requests that wait for a scoring thread or have one.",
            multiprocess_mode="livesum",
        )
        self._candidates = count("xuanpin_candidates", "Candidates scored.", ["own_evidence"])
        self._flags = count("xuanpin_flags", "Flags of scored candidates.", ["flag"])
        self._predictions = count(
            "xuanpin_predictions", "Estimates by tenth: 3 is 0.3 to 0.4.", ["target", "tenth"]
        )
        self.log_drops = count("xuanpin_log_drops", "Candidates answered and not logged.")
        self.reloads = count("xuanpin_reloads", "Pairs of bundle and snapshot loaded.")
        self.reload_refusals = count("xuanpin_reload_refusals", "Published pairs refused.")
        self.is_refused = gauge(
            "xuanpin_published_pair_refused",
            "1 while what is published can't be served.",
            multiprocess_mode="livemax",
        )
        self._snapshot_end = gauge(
            "xuanpin_snapshot_as_of_timestamp_seconds",
            "End of the snapshot's data, Unix time.",
            multiprocess_mode="livemin",
        )
        self._bundle_end = gauge(
            "xuanpin_bundle_cut_off_timestamp_seconds",
            "End of the data that the bundle learned from, Unix time.",
            multiprocess_mode="livemin",
        )

    def count_batch(self, batch: ScoredBatch) -> None:
        """Count the candidates of an answer, each label once however many there are."""
        tallies: Tally[tuple[CounterMetric, tuple[str, ...]]] = Tally()
        for row in batch.candidates:
            tallies[self._candidates, (row.evidence.own,)] += 1
            for flag in row.flags:
                tallies[self._flags, (flag.partition(":")[0],)] += 1
            for target, share in (
                ("sell_through", row.sell_through),
                ("return_risk", row.return_risk),
            ):
                if share is not None:
                    tallies[self._predictions, (target, _tenth(share))] += 1
        for (metric, labels), times in tallies.items():
            metric.labels(*labels).inc(times)

    def note_pair(self, served: LoadedArtefacts) -> None:
        """Note the ends of the data that are served."""
        self.reloads.inc()
        self._snapshot_end.set(_timestamp(served.snapshot.as_of))
        self._bundle_end.set(_timestamp(to_datetime(served.bundle.manifest.cut_off_day)))

    @contextmanager
    def time_stage(self, stage: str) -> Iterator[None]:
        """Time a stage of a request, whether it succeeds or fails."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds.labels(stage).observe(time.perf_counter() - started)

    def time_work(self, work: Callable[[], bytes]) -> Callable[[], bytes]:
        """Return a function that times how long it waits from now on, and then the work."""
        submitted = time.perf_counter()

        def run() -> bytes:
            self.stage_seconds.labels("waiting").observe(time.perf_counter() - submitted)
            with self.time_stage("work"):
                return work()

        return run

    def render(self) -> bytes:
        """Return the metrics of all workers in Prometheus' text format."""
        if DIRECTORY_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


@cache
def get_metrics() -> Metrics:
    """Return the metrics of this process."""
    return Metrics()


class MetricsMiddleware:
    """ASGI middleware that counts and times every answer."""

    def __init__(self, app: ASGIApp, routes: Collection[str]) -> None:
        """Wrap `app`; `routes` are the paths that may be labels."""
        self._app = app
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            metrics = get_metrics()
            route = scope["path"] if scope["path"] in self._routes else OTHER
            metrics.requests.labels(route, str(status)).inc()
            metrics.request_seconds.labels(route).observe(time.perf_counter() - started)


def _tenth(share: Share) -> str:
    return str(min(int(share.estimate * TENTHS), TENTHS - 1))


def _timestamp(moment: datetime) -> float:
    return moment.timestamp()
