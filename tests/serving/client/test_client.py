from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.online.snapshot import OnlineSnapshot
from serving.api.app import build_app
from serving.api.settings import ServingSettings
from serving.bundle.bundle import Bundle
from serving.client import AsyncClient, Client
from serving.client.conversation import MAX_ROUNDS
from serving.client.errors import (
    PairChangedError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StrangeAnswerError,
)
from serving.client.retries import Retries
from serving.explanation.explain import explain
from serving.scoring.candidates import MAX_CANDIDATES, MAX_EXPLAINED, Candidate
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.refusals import Detail
from serving.scoring.score import score
from tests.serving.http_server import serve_over_http

MUG = Candidate(
    product_id="mug-1", market="GB", list_price_minor=499, currency="GBP", units_offered=100
)
QUICK = Retries(attempts=3, first_pause=0.01, longest_pause=0.02)


def _lots(count: int) -> list[Candidate]:
    return [msgspec.structs.replace(MUG, units_offered=lot) for lot in range(1, count + 1)]


@pytest.fixture(scope="module")
def service(bundle: Bundle, snapshot: OnlineSnapshot) -> Iterator[str]:
    served = LoadedArtefacts(bundle, snapshot)
    with serve_over_http(build_app(ServingSettings(), lambda _: served)) as address:
        yield address


def test_client_returns_what_the_scoring_function_does_for_any_number_of_candidates(
    service: str, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    candidates = _lots(MAX_CANDIDATES + 5)
    with Client(service) as client:
        answer = client.score(candidates, coverage=0.9)
    assert answer == score(bundle, snapshot, candidates, coverage=0.9)


def test_client_explains_any_number_of_candidates(
    service: str, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    candidates = _lots(MAX_EXPLAINED + 1)
    with Client(service) as client:
        answer = client.explain(candidates, features=2)
    assert answer == explain(bundle, snapshot, candidates, most=2)


def test_async_client_returns_the_same(
    service: str, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    async def ask() -> tuple[Any, Any]:
        async with AsyncClient(service + "/") as client:
            return await asyncio.gather(client.score([MUG]), client.explain([MUG], features=1))

    scored, explained = asyncio.run(ask())
    assert scored == score(bundle, snapshot, [MUG], coverage=0.8)
    assert explained == explain(bundle, snapshot, [MUG], most=1)


def test_refusal_has_the_words_and_the_places_of_the_service(service: str) -> None:
    wrong = msgspec.structs.replace(MUG, market="XX")
    with Client(service) as client, pytest.raises(ServiceRefusedError) as refused:
        client.score([MUG, wrong])
    assert (refused.value.status, refused.value.code) == (422, "unsupported_market")
    assert refused.value.details == (Detail(("candidates", 1, "market"), "unsupported_market"),)
    assert len(refused.value.request_id) == 16
    with Client(service) as client, pytest.raises(ServiceRefusedError) as refused:
        client.score([])
    assert refused.value.code == "invalid_request"


Answers = Callable[[int], tuple[int, bytes]]
"""The number of a request, from 1, to status and body."""


class Scripted:
    """A service that answers as it is told, and keeps what it was asked."""

    def __init__(self, answers: Answers) -> None:
        self.asked: list[Request] = []
        self._answers = answers

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        status, body = self._answers(len(self.asked))
        await request.body()
        return Response(body, status, {"retry-after": "0"}, media_type="application/json")

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/score", self.answer, methods=["POST"])])


def _refusal(code: str) -> bytes:
    error = {"code": code, "message": "Later.", "details": [], "request_id": "ab"}
    return json.dumps({"error": error}).encode()


def _empty(bundle_id: str) -> bytes:
    answer = {"bundle_id": bundle_id, "snapshot_id": "s", "as_of": "t", "candidates": []}
    return json.dumps(answer).encode()


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_request_that_is_put_off_is_sent_again(status: int) -> None:
    service = Scripted(lambda n: (200, _empty("b")) if n == 3 else (status, _refusal("later")))
    with serve_over_http(service.app()) as address, Client(address, retries=QUICK) as client:
        assert client.score([MUG]).bundle_id == "b"
    assert len(service.asked) == 3


def test_client_gives_up_with_the_last_refusal() -> None:
    service = Scripted(lambda _: (503, _refusal("overloaded")))
    with (
        serve_over_http(service.app()) as address,
        Client(address, retries=QUICK) as client,
        pytest.raises(ServiceRefusedError) as refused,
    ):
        client.score([MUG])
    assert (refused.value.code, len(service.asked)) == ("overloaded", QUICK.attempts)


@pytest.mark.parametrize("status", [400, 401, 403, 413, 422, 500])
def test_refusal_that_would_come_again_is_not_asked_for_again(status: int) -> None:
    service = Scripted(lambda _: (status, _refusal("no")))
    with (
        serve_over_http(service.app()) as address,
        Client(address, retries=QUICK) as client,
        pytest.raises(ServiceRefusedError),
    ):
        client.score([MUG])
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b"{}"), (500, b"oops"), (404, b"\xff"), (503, b"x")],
)
def test_answer_of_another_server_is_said_to_be_strange(status: int, body: bytes) -> None:
    service = Scripted(lambda _: (status, body))
    with (
        serve_over_http(service.app()) as address,
        Client(address, retries=QUICK) as client,
        pytest.raises(StrangeAnswerError),
    ):
        client.score([MUG])


def test_service_that_is_not_there_is_named_with_the_attempts() -> None:
    with (
        Client("http://127.0.0.1:9", retries=QUICK) as client,
        pytest.raises(ServiceUnreachableError, match="asked 3 times"),
    ):
        client.score([MUG])


def test_all_candidates_are_asked_anew_when_the_bundle_changes_in_between() -> None:
    service = Scripted(lambda n: (200, _empty("old" if n == 1 else "new")))
    with serve_over_http(service.app()) as address, Client(address, retries=QUICK) as client:
        assert client.score(_lots(MAX_CANDIDATES + 1)).bundle_id == "new"
    assert len(service.asked) == 4


def test_bundle_that_never_stays_is_reported() -> None:
    service = Scripted(lambda n: (200, _empty(str(n))))
    with (
        serve_over_http(service.app()) as address,
        Client(address, retries=QUICK) as client,
        pytest.raises(PairChangedError),
    ):
        client.score(_lots(MAX_CANDIDATES + 1))
    assert len(service.asked) == 2 * MAX_ROUNDS


def test_key_is_sent_in_a_header_and_nowhere_else() -> None:
    service = Scripted(lambda _: (200, _empty("b")))
    with serve_over_http(service.app()) as address, Client(address, key="secret") as client:
        client.score([MUG])
    (request,) = service.asked
    assert request.headers["authorization"] == "Bearer secret"
    assert "secret" not in str(request.url)


@pytest.mark.parametrize(
    ("attempt", "retry_after", "least", "most"),
    [(1, None, 0.05, 0.1), (3, "0", 0.2, 0.4), (5, "2", 2.8, 3.6), (5, "Tue, 01 Dec", 0.8, 1.6)],
)
def test_pauses_grow_and_heed_the_service(
    attempt: int, retry_after: str | None, least: float, most: float
) -> None:
    pauses = [Retries().pause(attempt, retry_after) for _ in range(50)]
    assert all(pause is not None and least <= pause <= most for pause in pauses)
    assert len(set(pauses)) > 1
    assert Retries().pause(6, retry_after) is None
