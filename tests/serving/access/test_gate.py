"""H16 and more: who is answered, over the real application."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import StarletteDeprecationWarning
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.online.snapshot import OnlineSnapshot
from serving.access.gate import guard, is_beyond_machine
from serving.access.key_file import revoke_key
from serving.access.key_ring import KeyRing
from serving.access.keys import RateLimit
from serving.access.response_headers import SECURITY_HEADERS
from serving.access.scopes import NEEDED_SCOPES, PROBES, Scope
from serving.api.app import HANDLED_ERRORS, build_app
from serving.api.error_response import handle_error
from serving.api.settings import ServingSettings
from serving.bundle.bundle import Bundle
from serving.scoring.loading import LoadedArtefacts
from tests.worlds.api.keys import add, add_expired, id_of

with warnings.catch_warnings():
    # Starlette's client asks for httpx2, which BentoML and MLflow don't know yet.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

GOOD: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
}
BODY = json.dumps({"candidates": [GOOD]}).encode()
JSON = {"content-type": "application/json"}
RARELY = RateLimit(per_second=0.002, burst=1)
HEADERS = {name.decode(): value.decode() for name, value in SECURITY_HEADERS}


@dataclass(frozen=True)
class World:
    """The application with a file of keys, and the keys."""

    app: Starlette
    client: TestClient
    keys: dict[str, str]


@contextmanager
def serving(
    bundle: Bundle, snapshot: OnlineSnapshot, keys: Path | None, address: str = "127.0.0.1"
) -> Iterator[tuple[Starlette, TestClient]]:
    served = LoadedArtefacts(bundle, snapshot)
    app = build_app(ServingSettings(keys=keys), lambda _: served)
    client = TestClient(app, f"http://{address}", raise_server_exceptions=False)
    with client:
        yield app, client


@pytest.fixture(scope="module")
def world(
    bundle: Bundle, snapshot: OnlineSnapshot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    keys = {str(scope): add(path, scope) for scope in Scope}
    keys |= {"all": add(path), "expired": add_expired(path), "revoked": add(path)}
    revoke_key(path, id_of(keys["revoked"]))
    with serving(bundle, snapshot, path) as (app, client):
        yield World(app, client, keys)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def anonymous(response: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Return an answer without the id of its request."""
    body = response.json()
    request_id = body["error"].pop("request_id")
    headers = dict(response.headers)
    assert headers.pop("x-request-id") == request_id
    del headers["content-length"]
    return response.status_code, headers, body


Headers = Callable[[dict[str, str]], dict[str, str]]
UNAUTHORISED: dict[str, Headers] = {
    "no key": lambda _: {},
    "empty": lambda _: bearer(""),
    "no secret": lambda keys: bearer(f"xp_{id_of(keys['all'])}_"),
    "wrong secret": lambda keys: bearer(f"xp_{id_of(keys['all'])}_{'A' * 43}"),
    "secret of another": lambda keys: bearer(keys["score"][:16] + keys["all"][16:]),
    "unknown id": lambda keys: bearer(f"xp_{'0' * 12}_{keys['all'][16:]}"),
    "one more character": lambda keys: bearer(keys["all"] + "A"),
    "one character less": lambda keys: bearer(keys["all"][:-1]),
    "other case": lambda keys: bearer(keys["all"].upper()),
    "of 50,000 characters": lambda keys: bearer(keys["all"] + "A" * 50_000),
    "not ASCII": lambda _: {"x-api-key": "xp_ключ"},
    "expired": lambda keys: bearer(keys["expired"]),
    "revoked": lambda keys: bearer(keys["revoked"]),
    "two keys": lambda keys: {**bearer(keys["score"]), "x-api-key": keys["all"]},
    "a good and an empty one": lambda keys: {**bearer(keys["all"]), "x-api-key": ""},
    "without a scheme": lambda keys: {"authorization": keys["all"]},
    "another scheme": lambda keys: {"authorization": f"Basic {keys['all']}"},
    "cookie": lambda keys: {"cookie": f"x-api-key={keys['all']}"},
}


@pytest.mark.parametrize(
    "path", ["/v1/score", "/metrics", "/docs", "/openapi.json", "/", "/livez/", "/v1/score%0A"]
)
@pytest.mark.parametrize("headers", UNAUTHORISED.values(), ids=UNAUTHORISED)
def test_request_without_a_valid_key_gets_the_same_401_anywhere(
    world: World, headers: Headers, path: str
) -> None:
    sent = {**JSON, **headers(world.keys)}
    raw = {name.encode(): value.encode() for name, value in sent.items()}
    response = world.client.post(path, content=BODY, headers=raw)
    assert anonymous(response) == (
        401,
        {
            "content-type": "application/json",
            "cache-control": "no-store",
            "www-authenticate": "Bearer",
            **HEADERS,
        },
        {
            "error": {
                "code": "unauthorised",
                "message": "The request has no valid API key. Send one key, in the header "
                "authorization: Bearer or in x-api-key. The operator makes keys with "
                "`xuanpin keys add`, and a new one for a key that expired or was revoked.",
                "details": [],
            }
        },
    )


@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "authorization", "x-api-key"])
def test_key_in_the_query_is_never_read(world: World, name: str) -> None:
    for value in (world.keys["all"], f"Bearer {world.keys['all']}"):
        response = world.client.post("/v1/score", content=BODY, headers=JSON, params={name: value})
        assert response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        bearer,
        lambda key: {"authorization": f"bEARER   {key} "},
        lambda key: {"x-api-key": key},
        lambda key: {**bearer(key), "x-api-key": key},
        lambda key: {"authorization": "Basic YTpi", "x-api-key": key},
    ],
    ids=["bearer", "any case", "x-api-key", "both", "beside that of a proxy"],
)
def test_valid_key_is_answered(world: World, headers: Callable[[str], dict[str, str]]) -> None:
    response = world.client.post(
        "/v1/score", content=BODY, headers={**JSON, **headers(world.keys["all"])}
    )
    assert (response.status_code, len(response.json()["candidates"])) == (200, 1)
    assert {**response.headers, **HEADERS} == dict(response.headers)


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        ("score", "/v1/score", 200),
        ("admin", "/v1/score", 200),
        ("explain", "/v1/score", 403),
        ("metrics", "/v1/score", 403),
        ("metrics", "/v1/score%0A", 404),
        ("metrics", "/v1/unknown", 404),
        ("score", "/livez/", 404),
    ],
)
def test_scope_of_a_key_decides(world: World, key: str, path: str, status: int) -> None:
    headers = {**JSON, **bearer(world.keys[key])}
    assert world.client.post(path, content=BODY, headers=headers).status_code == status


def test_keys_without_the_scope_get_the_same_403(world: World) -> None:
    answers = [
        anonymous(world.client.post("/v1/score", content=body, headers=bearer(world.keys[key])))
        for key in ("explain", "metrics")
        for body in (b"", BODY)
    ]
    assert answers == [answers[0]] * 4
    assert answers[0][2]["error"]["code"] == "forbidden"


def test_probes_need_no_key(world: World) -> None:
    for path in PROBES:
        for headers in ({}, bearer("wrong")):
            assert world.client.get(path, headers=headers).status_code == 200


def test_every_route_but_the_probes_needs_a_key_and_has_a_scope(world: World) -> None:
    paths = [route.path for route in world.app.routes if isinstance(route, Route)]
    assert len(paths) == len(world.app.routes), "only routes with one fixed path can be guarded"
    assert {path for path in paths if path not in PROBES} <= set(NEEDED_SCOPES)
    for path in paths:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            if path not in PROBES:
                assert world.client.request(method, path).status_code == 401


async def ask(app: Starlette, headers: dict[str, str]) -> tuple[list[int], dict[str, Any]]:
    """Ask for scores without a body, as a server does; return the statuses and the state."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:  # noqa: ANN401 - as in Starlette
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/score",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return statuses, scope["state"]


@pytest.mark.parametrize(
    ("key", "status", "owner"), [("wrong", 401, ""), ("metrics", 403, "metrics")]
)
def test_refusal_reads_no_body_and_tells_others_whose_key_it_was(
    world: World, key: str, status: int, owner: str
) -> None:
    headers = bearer(world.keys.get(key, key))
    statuses, state = asyncio.run(ask(world.app, headers))
    assert statuses == [status]
    assert state["key_id"] == (id_of(world.keys[owner]) if owner else "")


def test_log_and_answer_repeat_nothing_of_a_key(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for key in (world.keys["all"] + "x", world.keys["expired"], world.keys["metrics"]):
        response = world.client.post(f"/v1/{key}", content=BODY, headers=bearer(key))
        assert id_of(key) not in response.text
        assert id_of(key) not in str(response.headers)
    assert "refused: unauthorised" in caplog.text
    ours = [each.getMessage() for each in caplog.records if each.name.startswith("serving")]
    assert not [line for line in ours if "xp_" in line or "/v1" in line]


def test_key_beyond_its_rate_waits_and_others_do_not(
    bundle: Bundle, snapshot: OnlineSnapshot, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    limited, other = add(path, rate=RARELY), add(path, Scope.METRICS, rate=RARELY)
    with serving(bundle, snapshot, path) as (_, client):

        def post(key: str, path: str = "/v1/score") -> httpx.Response:
            response: httpx.Response = client.post(
                path, content=BODY, headers={**JSON, **bearer(key)}
            )
            return response

        assert [post(limited).status_code for _ in range(3)] == [200, 429, 429]
        refused = post(limited, "/unknown")
        assert refused.json()["error"]["code"] == "rate_limited"
        assert refused.headers["retry-after"] == "1000"  # a half of 0.002 a second in each worker
        assert [post(other).status_code for _ in range(2)] == [403, 429]
        assert client.get("/livez", headers=bearer(limited)).status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("[::1]", 200), ("10.1.2.3", 401), ("[fe80::1]", 401)],
)
def test_without_keys_only_this_machine_is_answered(
    bundle: Bundle, snapshot: OnlineSnapshot, address: str, status: int
) -> None:
    with serving(bundle, snapshot, None, address) as (_, client):
        assert client.post("/v1/score", content=BODY, headers=JSON).status_code == status
        assert client.get("/unknown").status_code == (404 if status == 200 else 401)
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("host", "is_beyond"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("/run/xuanpin.sock", False),
        ("0.0.0.0", True),  # noqa: S104 - to be refused
        ("::", True),
        ("192.168.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("fe80::1%eth0", True),
    ],
)
def test_address_is_of_this_machine_alone_or_not(host: str, *, is_beyond: bool) -> None:
    assert is_beyond_machine(host) is is_beyond


async def fail(_: Request) -> Response:
    raise ZeroDivisionError


async def show_page(_: Request) -> Response:
    return Response("<p>", headers={"content-security-policy": "default-src 'self'"})


def new_app(ring: KeyRing | None) -> TestClient:
    """Return an application with routes that nobody gave a scope."""
    app = Starlette(
        routes=[Route("/fail", fail), Route("/page", show_page), Route("/of/{any}", show_page)],
        exception_handlers=dict.fromkeys(HANDLED_ERRORS, handle_error),
    )
    guard(app, ring)
    return TestClient(app, raise_server_exceptions=False)


def test_new_route_without_a_scope_needs_admin(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    admin, score = add(path, Scope.ADMIN), add(path, Scope.SCORE)
    client = new_app(KeyRing(path, workers=1))
    statuses = [
        client.get(path, headers=bearer(key)).status_code
        for path in ("/page", "/of/x", "/of/{any}")
        for key in ("", score, admin)
    ]
    assert statuses == [401, 403, 200, 401, 404, 404, 401, 403, 200]


def test_answer_has_the_security_headers_and_may_set_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = new_app(None)
    failed, page = client.get("/fail"), client.get("/page")
    assert (failed.status_code, page.status_code) == (500, 200)
    assert "ZeroDivisionError" in caplog.text
    assert {**failed.headers, **HEADERS} == dict(failed.headers)
    assert page.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert page.headers["x-content-type-options"] == "nosniff"
