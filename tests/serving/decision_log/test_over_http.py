"""The log of the service, over HTTP."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import StarletteDeprecationWarning

from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import StorageError
from serving.api.app import build_app
from serving.api.preflight import check_log
from serving.api.settings import ServingSettings, to_environment
from serving.bundle.bundle import Bundle
from serving.scoring.loading import LoadedArtefacts
from tests.worlds.logs.decisions import random_candidates
from tests.worlds.logs.log_files import read_log, wait_until

with warnings.catch_warnings():
    # Starlette's client asks for httpx2, which BentoML and MLflow don't know yet.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient


@contextmanager
def serving(bundle: Bundle, snapshot: OnlineSnapshot, **settings: Any) -> Iterator[TestClient]:  # noqa: ANN401 - any settings
    """Run the application with the settings, as a server does."""
    served = LoadedArtefacts(bundle, snapshot)
    app = build_app(ServingSettings(**settings), lambda _: served)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_each_answer_is_logged_with_its_request(
    bundle: Bundle, snapshot: OnlineSnapshot, tmp_path: Path
) -> None:
    candidates = random_candidates(20)
    with serving(bundle, snapshot, log=tmp_path / "log") as client:
        answers = [
            client.post("/v1/score", json={"candidates": part, "coverage": 0.9})
            for part in (candidates[:1], candidates[1:12], candidates[12:])
        ]
        refused = client.post("/v1/score", json={"candidates": [{**candidates[0], "market": "FR"}]})
        assert refused.status_code == 422
    expected = [
        (answer.headers["x-request-id"], json.loads(answer.content)["bundle_id"], 0.9, "", *values)
        for answer in answers
        for values in map(_values, answer.json()["candidates"])
    ]
    facts = ("request_id", "bundle_id", "coverage", "key_id", "candidate_id")
    names = (*facts, "sell_through", "return_risk", "score")
    logged = [tuple(row[name] for name in names) for row in read_log(tmp_path / "log")]
    assert logged == expected


def _values(answer: dict[str, Any]) -> tuple[object, ...]:
    shares = (answer[target]["estimate"] for target in ("sell_through", "return_risk"))
    return (answer["candidate_id"], *shares, answer["score"])


@pytest.mark.parametrize(("on_full", "status"), [("stop", 503), ("drop", 200)])
def test_log_that_cannot_be_written_refuses_or_answers(
    bundle: Bundle, snapshot: OnlineSnapshot, tmp_path: Path, on_full: str, status: int
) -> None:
    """H28: the place of the log isn't a directory."""
    (tmp_path / "place").write_text("a file")
    settings = {"log": tmp_path / "place" / "log", "log_on_full": on_full}
    with serving(bundle, snapshot, **settings) as client:
        wait_until(lambda: client.get("/readyz").status_code == status)
        answer = client.post("/v1/score", json={"candidates": random_candidates(1)})
        assert answer.status_code == status
        if status == 503:
            assert answer.json()["error"]["code"] == "log_unavailable"
            assert answer.headers["retry-after"] == "1"
        assert client.get("/livez").status_code == 200


def test_service_does_not_start_where_it_cannot_log(tmp_path: Path) -> None:
    (tmp_path / "place").write_text("a file")
    with pytest.raises(StorageError):
        check_log(ServingSettings(log=tmp_path / "place" / "log"))
    check_log(ServingSettings(log=tmp_path / "new" / "log"))
    assert (tmp_path / "new" / "log").stat().st_mode & 0o777 == 0o700


def test_settings_of_the_log_reach_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = to_environment(ServingSettings(log=Path("log"), log_on_full="drop"))
    assert variables["XUANPIN_SERVING__LOG"] == str(tmp_path / "log")
    assert variables["XUANPIN_SERVING__LOG_ON_FULL"] == "drop"
    assert ServingSettings().decision_log is None
