"""The real server, over real HTTP."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec
import psutil
import pytest

from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import StorageError
from features.runtime.pointer import publish
from features.runtime.progress import ignore_progress
from serving.access.key_file import revoke_key
from serving.api.preflight import check_address
from serving.api.settings import ServingSettings
from serving.bundle.bundle import Bundle, write_bundle
from serving.client import Client
from serving.decision_log.verify import verify_log
from serving.scoring.candidates import Candidate
from serving.scoring.score import score
from tests.worlds.api.keys import add, id_of
from tests.worlds.logs.log_files import read_log
from tests.worlds.serving import bundle_contents

SERVE = [sys.executable, "-c", "from serving.api.cli import app; app()", "serve"]
ROOT = Path(__file__).parents[3]
PATIENCE = 60
GOOD: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
    "listing_id": "mug-1|GB",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(run: Path, elsewhere: Path, **settings: str) -> Iterator[tuple[httpx.Client, Any]]:
    """Start the server in another directory; yield a client once it answers, and the process."""
    port = free_port()
    variables = {f"XUANPIN_SERVING__{name.upper()}": value for name, value in settings.items()}
    environment = {
        **os.environ,
        **variables,
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(elsewhere / "cache"),
    }
    command = [*SERVE, "--run", str(run), "--port", str(port)]
    with (
        (elsewhere / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=elsewhere, env=environment, stdout=log, stderr=log
        ) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client,
    ):
        try:
            wait_for(client, "/livez", {200})
            yield client, process
        finally:
            process.kill()


def wait_for(client: httpx.Client, path: str, statuses: set[int]) -> httpx.Response:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            response = client.get(path)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if response.status_code in statuses:
            return response
        time.sleep(0.05)
    raise TimeoutError(path)


def raw(client: httpx.Client, request: bytes) -> bytes:
    """Send bytes that no client library sends, and return the answer."""
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer


def test_service_answers_as_the_scoring_function_and_stops_when_told(
    run_directory: Path, tmp_path: Path, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    candidates = [GOOD, {**GOOD, "product_id": "new", "listing_id": None}]
    log = tmp_path / "decisions"
    with server(run_directory, tmp_path, deadline_ms="500", log=str(log)) as (client, process):
        ready = wait_for(client, "/readyz", {200})
        assert ready.json() == {
            "ready": True,
            "bundle_id": bundle.bundle_id,
            "snapshot_id": snapshot.snapshot_id,
            "refused": None,
        }
        answer = client.post("/v1/score", json={"candidates": candidates, "coverage": 0.9})
        expected = score(
            bundle, snapshot, [Candidate(**candidate) for candidate in candidates], coverage=0.9
        )
        assert (answer.status_code, answer.content) == (200, msgspec.json.encode(expected))
        answer_id = answer.headers["x-request-id"]

        # Nothing else answers: neither pages of a framework nor its metrics.
        for path in ("/", "/docs.json", "/schema.json", "/healthz", "/static_content"):
            assert client.get(path).json()["error"]["code"] == "not_found", path

        # H07 and H19 over the wire: a chunked body over the limit, a body that never ends.
        head = b"POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        chunked = head + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n" + chunk * 17
        assert b" 413 " in raw(client, chunked).partition(b"\r\n")[0]
        slow = head + b"content-length: 10\r\nconnection: close\r\n\r\n{"
        assert b" 408 " in raw(client, slow).partition(b"\r\n")[0]
        assert client.post("/v1/score", json={"candidates": [GOOD]}).status_code == 200

        # It refuses for a while before it stops to listen.
        process.send_signal(signal.SIGTERM)
        answer = wait_for(client, "/readyz", {503})
        assert answer.json()["error"]["code"] == "stopping"
        assert client.post("/v1/score", json={"candidates": [GOOD]}).status_code == 503
        assert process.wait(PATIENCE) == 0
    text = (tmp_path / "log").read_text()
    assert text.count("refused: body_too_large") == 1
    assert "Traceback" not in text
    assert "mug-1" not in text

    # The decisions that it answered were logged before it ended.
    report = verify_log(log, ignore_progress)
    assert report.fault_count == 0
    assert sum(chain.rows for chain in report.chains) == 3
    ids = {row["request_id"] for row in read_log(log) if row["coverage"] == 0.9}
    assert ids == {answer_id}


def workers_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the running workers, without the process that tracks their semaphores."""
    return [one for one in psutil.Process(process.pid).children() if is_worker(one)]


def is_worker(process: psutil.Process) -> bool:
    """Return whether a process is a worker that runs."""
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def sockets_of(process: psutil.Process) -> list[Any]:
    """Return a process's sockets, none if it has ended, as those that check a bundle do."""
    try:
        return list(process.net_connections(kind="all"))
    except psutil.NoSuchProcess:
        return []


def test_only_the_port_of_the_service_listens_and_asks_for_a_key(
    run_directory: Path, tmp_path: Path
) -> None:
    """H41: a control socket on loopback lets other accounts run commands as the service's user."""
    keys = tmp_path / "keys.json"
    key = add(keys)
    with server(run_directory, tmp_path, keys=str(keys)) as (client, process):
        wait_for(client, "/readyz", {200})
        check_keys(client, keys, key)
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
        assert len(workers_of(process)) == 2
        sockets = [each for one in family for each in sockets_of(one)]
    own = (client.base_url.host, client.base_url.port)
    listening = [each.laddr for each in sockets if each.status == psutil.CONN_LISTEN]
    assert set(listening) == {own}
    assert len(listening) == 3  # the supervisor and its workers share it
    # Pipes between the processes have no name that another process could connect to.
    others = [each.laddr for each in sockets if each.family == socket.AF_UNIX]
    assert others == [""] * len(others)
    assert not [each for each in sockets if each.type == socket.SOCK_DGRAM]


def check_keys(client: httpx.Client, path: Path, key: str) -> None:
    """H16 over the wire: no body is awaited, and all workers follow the file."""
    head = b"POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    unsent = head + b"content-length: 100000\r\nconnection: close\r\n\r\n"
    assert b" 401 " in raw(client, unsent).partition(b"\r\n")[0]
    body = {"candidates": [GOOD]}

    def ask(sent: str) -> int:
        with httpx.Client(base_url=client.base_url, timeout=PATIENCE) as other:
            headers = {"authorization": f"Bearer {sent}"}
            return other.post("/v1/score", json=body, headers=headers).status_code

    def wait_until(sent: str, status: int) -> None:
        give_up = time.monotonic() + PATIENCE
        while {ask(sent) for _ in range(8)} != {status}:
            assert time.monotonic() < give_up
            time.sleep(0.05)

    assert (ask(key), ask(key[:-1]), client.get("/metrics").status_code) == (200, 401, 401)
    new = add(path)
    revoke_key(path, id_of(key))
    wait_until(new, 200)
    wait_until(key, 401)


class Load:
    """One caller that asks again and again, and notes which bundle each answer is of."""

    def __init__(self, address: str) -> None:
        self.bundles: list[str] = []
        self.errors: list[Exception] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(address,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self, address: str) -> None:
        while not self._stop.is_set():
            with Client(address) as client:  # a new connection, so that any worker may take it
                try:
                    self.bundles.append(client.score([Candidate(**GOOD)]).bundle_id)
                except Exception as error:  # noqa: BLE001 - the test looks at all of them
                    self.errors.append(error)

    def wait_for(self, bundle_id: str, times: int) -> None:
        """Wait until so many answers in turn are of this bundle."""
        give_up = time.monotonic() + PATIENCE
        while self.bundles[-times:] != [bundle_id] * times:
            assert time.monotonic() < give_up, self.bundles[-times:]
            time.sleep(0.05)


def test_workers_take_up_what_is_published_and_are_replaced_without_a_failed_answer(
    run_directory: Path, tmp_path: Path, bundle: Bundle
) -> None:
    """H22, H24, H25, H50: promotions, a broken pointer and killed workers, under load."""
    run = tmp_path / "run"
    shutil.copytree(run_directory, run)
    other = write_bundle(replace(bundle_contents(), metrics={}), run / "bundles")
    settings = {"graceful_seconds": "1", "drain_seconds": "0", "reload_seconds": "0.2"}
    with server(run, tmp_path, **settings) as (client, process):
        wait_for(client, "/readyz", {200})
        with Load(str(client.base_url)) as load:
            load.wait_for(bundle.bundle_id, 1)
            publish(run / "bundles", other)
            load.wait_for(other, 40)
            (run / "bundles" / "CURRENT").write_text("nowhere")
            process.send_signal(signal.SIGHUP)
            (killed, kept) = workers_of(process)
            killed.kill()
            wait_for_replacement(process, killed)
            answered = len(load.bundles)
            while len(load.bundles) < answered + 40 and not load.errors:
                time.sleep(0.05)
            assert set(load.bundles[answered:]) == {other}
            assert kept in workers_of(process)
        # Whichever worker is asked, it counts for all, the killed one too.
        counts = {count_of_scores(client) for _ in range(8)}
        assert len(counts) == 1
        assert counts.pop() >= len(load.bundles)
        kept.suspend()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert not kept.is_running()
    assert not load.errors
    assert set(load.bundles) == {bundle.bundle_id, other}
    log = (tmp_path / "log").read_text()
    assert "serving the earlier pair on: Nothing is in use" in log


SCORES = 'xuanpin_requests_total{route="/v1/score",status="200"}'


def count_of_scores(client: httpx.Client) -> int:
    with httpx.Client(base_url=client.base_url, timeout=PATIENCE) as other:
        lines = other.get("/metrics").text.splitlines()
    (line,) = (one for one in lines if one.startswith(SCORES))
    return int(float(line.rpartition(" ")[2]))


def wait_for_replacement(process: subprocess.Popen[bytes], killed: psutil.Process) -> None:
    give_up = time.monotonic() + PATIENCE
    while killed in (now := workers_of(process)) or len(now) < 2:
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_bentoml_serves_the_same_application(
    run_directory: Path, tmp_path: Path, bundle: Bundle
) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(tmp_path / "home"),
        "XUANPIN_SERVING__RUN": str(run_directory),
        "XUANPIN_SERVING__WORKERS": "1",
    }
    command = [sys.executable, "-m", "bentoml", "serve", "serving.api.service:service"]
    command += ["--working-dir", str(ROOT), "--host", "127.0.0.1", "--port", str(port)]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client,
    ):
        try:
            assert wait_for(client, "/readyz", {200}).json()["bundle_id"] == bundle.bundle_id
            answer = client.post("/v1/score", json={"candidates": [GOOD]})
            assert (answer.status_code, len(answer.json()["candidates"])) == (200, 1)
            assert client.get("/docs.json").json()["error"]["code"] == "not_found"
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def test_service_without_a_model_is_alive_and_ends_with_its_master(tmp_path: Path) -> None:
    # A pipe in place of the pointer would keep a reader waiting.
    (tmp_path / "run" / "bundles").mkdir(parents=True)
    os.mkfifo(tmp_path / "run" / "bundles" / "CURRENT")
    with server(tmp_path / "run", tmp_path) as (client, process):
        assert client.get("/livez").json() == {"alive": True}
        for response in (
            client.get("/readyz"),
            client.post("/v1/score", json={"candidates": [GOOD]}),
        ):
            assert response.status_code == 503
            assert response.json()["error"]["code"] == "no_model"
        process.kill()
        process.wait(PATIENCE)
        wait_until_free(int(client.base_url.port or 0))
    assert "not a plain file" in (tmp_path / "log").read_text()


def wait_until_free(port: int) -> None:
    """Wait until a server could listen on a port."""
    give_up = time.monotonic() + PATIENCE
    settings = ServingSettings(port=port)
    while True:
        try:
            check_address(settings)
        except StorageError:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize(
    "module",
    [
        "serving.api.app",
        "serving.api.supervisor",
        "serving.api.worker",
        "serving.scoring.score",
        "serving.bundle.bundle",
        "serving.bundle.canary_child",
    ],
)
def test_request_path_imports_no_heavy_library(module: str) -> None:
    heavy = ["pandas", "sklearn", "scipy", "mlflow", "ibis", "duckdb", "pyarrow", "pandera"]
    heavy += ["lightgbm", "bentoml"]
    program = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT
    )
    assert not set(heavy) & set(json.loads(child.stdout))
