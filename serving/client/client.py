"""Two clients of the scoring service: one that blocks, one for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import httpx

from serving.client.conversation import (
    Batch,
    Pause,
    Reply,
    Send,
    Step,
    ask_for_explanations,
    ask_for_scores,
)
from serving.client.retries import Retries
from serving.explanation.answers import ExplainedBatch
from serving.scoring.answers import ScoredBatch
from serving.scoring.candidates import DEFAULT_COVERAGE, DEFAULT_FEATURES, Candidate

TIMEOUT_SECONDS: Final = 10.0
"""For a connection, and again for an answer; the service's own deadlines are shorter."""


def _headers(key: str | None) -> dict[str, str]:
    json = {"content-type": "application/json"}
    return json if key is None else {**json, "authorization": f"Bearer {key}"}


class Client:
    """Ask a service and wait for its answers; connections are kept between requests.

    Scores of more candidates than a request may hold are asked in parts, and all of them are of
    one bundle and one snapshot. A request that the service puts off is sent again (`Retries`).
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        retries: Retries | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        """Prepare to ask the service at `url`; nothing is sent yet."""
        self._url, self._retries = url.rstrip("/"), retries or Retries()
        self._http = httpx.Client(base_url=self._url, headers=_headers(key), timeout=timeout)

    def __enter__(self) -> Self:
        """Return the client; leaving the block closes its connections."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def score(
        self, candidates: Sequence[Candidate], *, coverage: float = DEFAULT_COVERAGE
    ) -> ScoredBatch:
        """Return the scores of candidates, in their order.

        Raises:
            ServiceRefusedError: the service refused; `code` and `details` say why.
            ServiceUnreachableError: no attempt got an answer.
            StrangeAnswerError: the answer isn't one of this service.
            PairChangedError: the service changed its bundle in each round.
        """
        return self._follow(
            ask_for_scores(candidates, coverage, url=self._url, retries=self._retries)
        )

    def explain(
        self, candidates: Sequence[Candidate], *, features: int = DEFAULT_FEATURES
    ) -> ExplainedBatch:
        """Return what moves the predictions of candidates, in their order; errors as of `score`."""
        return self._follow(
            ask_for_explanations(candidates, features, url=self._url, retries=self._retries)
        )

    def _follow(self, steps: Step[Batch]) -> Batch:
        reply: Reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return] # a generator's own answer
            reply = self._do(step)

    def _do(self, step: Send | Pause) -> Reply:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(step.method, step.path, content=step.content)
        except httpx.TransportError as error:
            return error


class AsyncClient:
    """Ask a service from asyncio, as `Client` does."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        retries: Retries | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        """Prepare to ask the service at `url`; nothing is sent yet."""
        self._url, self._retries = url.rstrip("/"), retries or Retries()
        self._http = httpx.AsyncClient(base_url=self._url, headers=_headers(key), timeout=timeout)

    async def __aenter__(self) -> Self:
        """Return the client; leaving the block closes its connections."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def score(
        self, candidates: Sequence[Candidate], *, coverage: float = DEFAULT_COVERAGE
    ) -> ScoredBatch:
        """Return the scores of candidates, in their order; errors as of `Client.score`."""
        return await self._follow(
            ask_for_scores(candidates, coverage, url=self._url, retries=self._retries)
        )

    async def explain(
        self, candidates: Sequence[Candidate], *, features: int = DEFAULT_FEATURES
    ) -> ExplainedBatch:
        """Return what moves the predictions of candidates, in their order."""
        return await self._follow(
            ask_for_explanations(candidates, features, url=self._url, retries=self._retries)
        )

    async def _follow(self, steps: Step[Batch]) -> Batch:
        reply: Reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return] # a generator's own answer
            reply = await self._do(step)

    async def _do(self, step: Send | Pause) -> Reply:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.request(step.method, step.path, content=step.content)
        except httpx.TransportError as error:
            return error
