"""Let a request pass only with a valid key that has the scope of the path.

The gate stands before the routes, so that no route can forget it. It reads the path and the headers
alone: a refused request's body is never read. A key in the query isn't looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from serving.access.key_ring import KeyRing
from serving.access.response_headers import ResponseHeaders
from serving.access.scopes import NEEDED_SCOPES, PROBES, Scope
from serving.scoring.refusals import RequestRefusedError

BEARER: Final = b"bearer "
KEY_ID: Final = "key_id"
"""Where `request.state` has the id of the key that a request came with, else an empty text."""


class Gate:
    """ASGI middleware that refuses requests without a key where there are keys.

    Without keys it refuses requests that come from beyond this machine. Paths that aren't in
    `needed` don't reach the routes: a pattern of theirs may match more than it says.
    """

    def __init__(
        self, app: ASGIApp, ring: KeyRing | None, needed: Mapping[str, Scope | None]
    ) -> None:
        """Guard `app`, whose paths but the probes are those of `needed`."""
        self._app = app
        self._ring = ring
        self._needed = needed

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Check a request and pass it on.

        Raises:
            RequestRefusedError: unauthorised, forbidden, rate_limited or not_found.
        """
        if scope["type"] != "lifespan":
            self._check(scope)
        await self._app(scope, receive, send)

    def _check(self, scope: AsgiScope) -> None:
        state = scope.setdefault("state", {})
        state[KEY_ID] = ""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in PROBES:
            return
        if self._ring is None:
            _check_address(scope)
        else:
            _check_key(self._ring, scope["headers"], state, self._needed.get(path))
        if path not in self._needed:
            raise RequestRefusedError("not_found")


def guard(app: Starlette, ring: KeyRing | None) -> None:
    """Put the gate before an application's routes and the headers around all; call it last.

    Inside the application's error handling, refusals get the error response.
    """
    paths = {str(getattr(route, "path", "")) for route in app.routes} - PROBES
    needed = {path: NEEDED_SCOPES.get(path, Scope.ADMIN) for path in paths}
    app.router.middleware_stack = Gate(app.router.middleware_stack, ring, needed)
    app.middleware_stack = ResponseHeaders(app.build_middleware_stack())


@lru_cache(maxsize=64)
def is_beyond_machine(host: str) -> bool:
    """Return True for an IP address that other machines may reach; a Unix socket has none."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return not (inner or address).is_loopback


def _check_address(scope: AsgiScope) -> None:
    """Refuse a request to an address of this machine that others reach too."""
    server = scope.get("server")
    if server and is_beyond_machine(server[0]):
        raise RequestRefusedError("unauthorised")


def _check_key(
    ring: KeyRing,
    headers: Iterable[tuple[bytes, bytes]],
    state: MutableMapping[str, Any],
    needed: Scope | None,
) -> None:
    key = ring.identify(read_key(headers))
    if key is None:
        raise RequestRefusedError("unauthorised")
    state[KEY_ID] = key.key_id
    seconds = ring.count_use(key)
    if seconds:
        raise RequestRefusedError("rate_limited", retry_after=seconds)
    if not key.allows(needed):
        raise RequestRefusedError("forbidden")


def read_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the key in `Authorization: Bearer` or `X-API-Key`; empty without one or with two."""
    presented = set()
    for name, value in headers:
        if name == b"x-api-key":
            presented.add(value.strip())
        elif name == b"authorization" and value[: len(BEARER)].lower() == BEARER:
            presented.add(value[len(BEARER) :].strip())
    return presented.pop() if len(presented) == 1 else b""
