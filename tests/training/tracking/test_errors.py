"""Addresses of tracking servers that don't answer as MLflow does, each with its own sentence."""

from __future__ import annotations

import datetime as dt
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from features.runtime.errors import StorageError
from tests.worlds.training import QUICK
from training.tracking.errors import (
    DriverMissingError,
    FileStoreError,
    NotMlflowError,
    TrackingError,
    UnknownSchemeError,
    UnreadableAddressError,
)
from training.tracking.mlflow_run import check_store

LOGIN = "me:secret@"
SECONDS = 1
BODIES = {"html": b"<html>Log in</html>", "json": b'{"a": 1}', "empty": b""}


class Answers(http.server.BaseHTTPRequestHandler):
    """Answer as the first part of the path says: a status, a body, or nothing for a while."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        if kind == "hang":
            time.sleep(SECONDS + 1)
            return
        self.send_response(int(kind) if kind.isdigit() else 200)
        self.end_headers()
        self.wfile.write(BODIES.get(kind, b"no"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Keep quiet."""


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(SECONDS))


@contextmanager
def _serve(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with _serve() as number:
        yield number


@pytest.fixture(scope="module")
def tls_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server whose certificate nobody trusts."""
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    certificate = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    signed = certificate.sign(key, None)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + signed.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with _serve(context) as number:
        yield number


def _refusal(uri: str, out: Path) -> TrackingError:
    with pytest.raises(StorageError) as caught:
        check_store(out, QUICK.model_copy(update={"tracking_uri": uri}))
    assert isinstance(caught.value, TrackingError)
    assert "secret" not in str(caught.value)
    assert not list(out.iterdir())
    return caught.value


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("html", "a web server answers there, but it isn't MLflow"),
        ("json", "a web server answers there, but it isn't MLflow"),
        ("empty", "a web server answers there, but it isn't MLflow"),
        ("404", "a web server answers there, but it isn't MLflow"),
        ("401", "the server asks for a login"),
        ("403", "the server refuses this login"),
        ("500", "the server has a fault (too many 500 error responses)"),
        ("503", "the server has a fault (too many 503 error responses)"),
        ("hang", "the server doesn't answer in time"),
    ],
)
def test_server_that_answers_otherwise_than_mlflow_is_told_apart(
    kind: str, reason: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind.startswith("5"):  # only after a second try is a fault of the server one for MLflow
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    began = time.monotonic()
    error = _refusal(f"http://{LOGIN}127.0.0.1:{port}/{kind}", tmp_path)
    assert error.problem == (
        f"The training can't be recorded at http://127.0.0.1:{port}/{kind}: {reason}."
    )
    assert isinstance(error, NotMlflowError) == ("isn't MLflow" in reason)
    assert time.monotonic() - began < 10 * SECONDS


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_server_without_tls_is_told_from_one_that_nobody_trusts(
    port: int, tls_port: int, tmp_path: Path
) -> None:
    plain = _refusal(f"https://127.0.0.1:{port}", tmp_path)
    assert "TLS fails" in plain.problem
    assert plain.hint.startswith("Write http:// if the server doesn't use TLS")
    untrusted = _refusal(f"https://127.0.0.1:{tls_port}", tmp_path)
    assert "its TLS certificate isn't trusted" in untrusted.problem
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in untrusted.hint


def test_proxy_that_doesnt_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://{LOGIN}127.0.0.1:{_closed_port()}")
    error = _refusal("http://mlflow.invalid", tmp_path)
    assert error.problem.endswith("the proxy doesn't connect.")
    assert "NO_PROXY" in error.hint


@pytest.mark.parametrize(
    ("uri", "kind", "part"),
    [
        ("postgresql://me:secret@db/runs", DriverMissingError, "pip install 'psycopg[binary]'"),
        ("postgresql+psycopg2://db/runs", DriverMissingError, "pip install psycopg2-binary"),
        ("mysql://me:secret@db/runs", DriverMissingError, "pip install mysqlclient"),
        ("mysql+pymysql://db/runs", DriverMissingError, "pip install pymysql"),
        ("mssql+pyodbc://db/runs", DriverMissingError, "pip install pyodbc"),
        ("htp://me:secret@tracking:5000", UnknownSchemeError, "Did you mean http://?"),
        ("s3://bucket/runs", UnknownSchemeError, "Name one of http, https, sqlite"),
        ("file:///runs", FileStoreError, "sqlite:///mlflow.db"),
        ("./mlruns", FileStoreError, "sqlite:///mlflow.db"),
        ("foo://bar", UnknownSchemeError, "MLflow has no tracking store called foo. Name one of"),
        ("sqlite:x.db", UnreadableAddressError, "Write sqlite:///x.db"),
        ("sqlite:/x.db", UnreadableAddressError, "Write sqlite:///x.db"),
        ("sqlite://x.db", UnreadableAddressError, "Write sqlite:///x.db"),
        ("postgresql:/me:secret@h/db", UnreadableAddressError, "Write postgresql://user:password"),
        ("postgresql://me:secret@h:port/db", UnreadableAddressError, "Write postgresql://user"),
        ("http://[::1", UnreadableAddressError, "Write an address such as http://host:5000."),
        ("http://mlflow.invalid", TrackingError, "no computer has this name"),
        ("http://127.0.0.1:1", TrackingError, "nothing listens there"),
    ],
)
def test_address_that_cant_work_is_refused_with_the_way_out(
    uri: str, kind: type[TrackingError], part: str, tmp_path: Path
) -> None:
    error = _refusal(uri, tmp_path)
    assert isinstance(error, kind)
    assert part in str(error)
    assert error.exit_code == 6
