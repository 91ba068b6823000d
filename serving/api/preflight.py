"""Check what the server needs before it starts: its address and something to serve."""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Final

from features.runtime.atomic import check_writable
from features.runtime.errors import ArtefactError, StorageError
from features.runtime.pointer import resolve
from features.runtime.text import quote_path
from serving.access.errors import OpenToNetworkError
from serving.access.gate import is_beyond_machine
from serving.access.key_file import read_keys
from serving.api.settings import ServingSettings
from serving.decision_log.log_settings import prepare_log

MAX_PORT: Final = 65_535
NEXT_PORTS: Final = 20
"""Ports above one in use among which a free one is looked for."""


class AddressRefusedError(StorageError):
    """Refuse to start where the system doesn't let the service listen."""

    def __init__(self, settings: ServingSettings, error: OSError) -> None:
        problem, hint = _explain_address(settings, error)
        super().__init__(problem=problem, hint=hint)


def check_address(settings: ServingSettings) -> None:
    """Listen for a moment where the server will, as it will.

    Raises:
        AddressRefusedError: the system refuses.
    """
    try:
        _listen(str(settings.host), settings.port)
    except OSError as error:
        raise AddressRefusedError(settings, error) from error


def check_log(settings: ServingSettings) -> None:
    """Make the directory of the decision log, if there is to be one, and try to write there.

    Raises:
        StorageError: the disk refuses.
    """
    if settings.log is not None:
        prepare_log(settings.log)
        check_writable(settings.log / "lock")


def format_url(settings: ServingSettings) -> str:
    """Return the URL of the service; an IPv6 address stands in brackets there."""
    host = f"[{settings.host}]" if settings.host.version == 6 else str(settings.host)  # noqa: PLR2004 - IPv6
    return f"http://{host}:{settings.port}"


def describe_start(settings: ServingSettings) -> str:
    """Return a line about what will be served where, or what is missing for it.

    The service starts without artefacts, because it must answer that it isn't ready.
    """
    url, run = format_url(settings), quote_path(settings.run)
    try:
        resolve(settings.bundles)
        resolve(settings.snapshots)
    except ArtefactError as error:
        missing = f"There is no run directory {run}."
        problem = error.problem if settings.run.is_dir() else missing
        return (
            f"{problem} Listening on {url} without a model: /livez answers 200, /readyz and "
            f"/v1/score 503. Publish with `xuanpin run --out {run}`, then start the service again."
        )
    return f"Serving {run} on {url}"


def check_access(settings: ServingSettings) -> None:
    """Check that whoever can reach the service needs a key, or is on this machine.

    Raises:
        OpenToNetworkError: there are no keys, and other machines reach the address.
        KeyFileRefusedError: the file of keys can't be read.
    """
    if settings.keys is not None:
        read_keys(settings.keys)
    elif is_beyond_machine(str(settings.host)):
        raise OpenToNetworkError(str(settings.host))


def describe_access(settings: ServingSettings) -> str:
    """Return a line about who is answered."""
    if settings.keys is None:
        return (
            "WARNING: no API keys. Every account and program of this machine is answered, other "
            "machines aren't. Make a key with `xuanpin keys add shop --keys keys.json`, and serve "
            "with --keys keys.json."
        )
    now = time.time()
    valid = sum(not key.is_expired(now) for key in read_keys(settings.keys))
    path = quote_path(settings.keys)
    return f"Answering {valid:,} API key{'' if valid == 1 else 's'} of {path}."


def _listen(host: str, port: int) -> None:
    family, kind, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen()


def _explain_address(settings: ServingSettings, error: OSError) -> tuple[str, str]:
    """Return the problem and the hint for what the system refused."""
    host, port = settings.host, settings.port
    match error.errno:
        case errno.EADDRINUSE:
            free = _find_free_port(str(host), port)
            another = "" if free is None else f", such as --port {free}"
            problem = f"Another program listens on port {port} of {host} already."
            return problem, f"Stop it, or choose another port{another}."
        case errno.EADDRNOTAVAIL:
            return (
                f"This machine has no network address {host}.",
                "Choose one of its own with --host, such as 127.0.0.1 for this machine alone.",
            )
        case errno.EACCES | errno.EPERM:
            problem = f"The system doesn't let this account listen on port {port}."
            return problem, "Choose a port of 1024 or above with --port."
    reason = error.strerror or os.strerror(error.errno or 0)
    problem = f"The system doesn't let the service listen on {format_url(settings)}: {reason}."
    return problem, "Choose another address with --host and --port."


def _find_free_port(host: str, port: int) -> int | None:
    for other in range(port + 1, min(port + NEXT_PORTS, MAX_PORT) + 1):
        try:
            _listen(host, other)
        except OSError:
            continue
        return other
    return None
