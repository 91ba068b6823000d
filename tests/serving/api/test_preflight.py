"""What the server needs is checked before it starts, and said in one sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from features.runtime.errors import StorageError
from serving.access.errors import KeyFileRefusedError, OpenToNetworkError
from serving.api.preflight import (
    check_access,
    check_address,
    describe_access,
    describe_start,
    format_url,
)
from serving.api.settings import ServingSettings
from tests.worlds.api.keys import add, add_expired
from tests.worlds.processes import COMMAND, run_program


@contextmanager
def taken(host: str) -> Iterator[int]:
    """Listen on a free port and yield its number."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as other:
        try:
            other.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine doesn't have {host}")
        other.listen()
        yield int(other.getsockname()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])  # noqa: S104 - to be refused
def test_serve_on_a_port_in_use_ends_before_the_server_starts(host: str) -> None:
    with taken(host) as port:
        code, printed, told = run_program(COMMAND, "serve", "--host", host, "--port", port)
    assert (code, printed) == (6, "")
    assert told.startswith(
        f"xuanpin: Another program listens on port {port} of {host} already. "
        "Stop it, or choose another port, such as --port "
    )
    assert told.count("\n") == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_serve_on_an_address_of_another_machine_is_refused(host: str) -> None:
    settings = ServingSettings(host=ip_address(host))
    with pytest.raises(StorageError, match=rf"no network address {host}\."):
        check_address(settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - to be refused
def test_serve_beyond_this_machine_without_keys_is_refused(host: str, tmp_path: Path) -> None:
    settings = ServingSettings(host=ip_address(host))
    with pytest.raises(OpenToNetworkError) as caught:
        check_access(settings)
    assert caught.value.exit_code == 2
    keys = tmp_path / "keys.json"
    with pytest.raises(KeyFileRefusedError):
        check_access(settings.model_copy(update={"keys": keys}))
    add(keys)
    check_access(settings.model_copy(update={"keys": keys}))


def test_serve_beyond_this_machine_without_keys_says_how_to_make_one() -> None:
    code, printed, told = run_program(COMMAND, "serve", "--host", "0.0.0.0", "--port", free_port())  # noqa: S104 - to be refused
    assert (code, printed) == (2, "")
    assert told.startswith("xuanpin: Without API keys the service answers this machine alone")
    assert "`xuanpin keys add shop --keys keys.json`" in told


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_second_line_says_who_is_answered(host: str, tmp_path: Path) -> None:
    settings = ServingSettings(host=ip_address(host))
    check_access(settings)
    assert describe_access(settings).startswith("WARNING: no API keys. ")
    keys = tmp_path / "keys.json"
    add(keys)
    add_expired(keys)
    assert describe_access(settings.model_copy(update={"keys": keys})) == (
        f"Answering 1 API key of {keys}."
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:3000"), ("::1", "http://[::1]:3000")],
)
def test_url_has_an_ipv6_address_in_brackets(host: str, url: str) -> None:
    assert format_url(ServingSettings(host=ip_address(host))) == url


def absent(_: Path) -> None:
    """Make nothing."""


def empty(run: Path) -> None:
    run.mkdir()


def pipe(run: Path) -> None:
    (run / "bundles").mkdir(parents=True)
    os.mkfifo(run / "bundles" / "CURRENT")


def whole(run: Path) -> None:
    for kind in ("bundles", "snapshots"):
        (run / kind / "0123").mkdir(parents=True)
        (run / kind / "CURRENT").write_text("0123\n")


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (absent, "There is no run directory RUN. Listening on http://127.0.0.1:3000 without a"),
        (empty, "Nothing is in use in RUN/bundles: it has no file CURRENT. Listening on"),
        (pipe, "Nothing is in use in RUN/bundles: CURRENT"),
        (whole, "Serving RUN on http://127.0.0.1:3000"),
    ],
)
def test_first_line_says_what_is_served_or_missing(
    tmp_path: Path, make: Callable[[Path], None], line: str
) -> None:
    run = tmp_path / "run"
    make(run)
    told = describe_start(ServingSettings(run=run))
    assert told.replace(str(run), "RUN").startswith(line)
