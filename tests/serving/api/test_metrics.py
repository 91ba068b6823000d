"""What the service tells Prometheus of itself."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.exceptions import StarletteDeprecationWarning

from features.online.snapshot import OnlineSnapshot
from features.runtime.pointer import PointerError
from serving.api.app import build_app
from serving.api.served import ServedArtefacts
from serving.api.settings import ServingSettings
from serving.bundle.bundle import Bundle
from serving.scoring.candidates import Candidate
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.score import score

with warnings.catch_warnings():
    # Starlette's client asks for httpx2, which BentoML and MLflow don't know yet.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

MUG: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
}
NEW = {**MUG, "product_id": "new"}

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def client(bundle: Bundle, snapshot: OnlineSnapshot) -> Iterator[TestClient]:
    served = LoadedArtefacts(bundle, snapshot)
    app = build_app(ServingSettings(), lambda _: served)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def read(client: TestClient) -> Samples:
    text = client.get("/metrics").text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def difference(before: Samples, after: Samples, name: str, **labels: str) -> float:
    key = (name, tuple(sorted(labels.items())))
    return after.get(key, 0.0) - before.get(key, 0.0)


def test_an_answer_is_counted_by_route_stage_evidence_flag_and_estimate(
    client: TestClient, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    before = read(client)
    assert client.post("/v1/score", json={"candidates": [MUG, NEW, NEW]}).status_code == 200
    after = read(client)
    counted: list[tuple[str, dict[str, str], int]] = [
        ("xuanpin_requests_total", {"route": "/v1/score", "status": "200"}, 1),
        ("xuanpin_request_seconds_count", {"route": "/v1/score"}, 1),
        ("xuanpin_flags_total", {"flag": "unknown_product"}, 2),
        ("xuanpin_flags_total", {"flag": "imputed"}, 3),
        ("xuanpin_candidates_total", {"own_evidence": "none"}, 2),
        *(
            ("xuanpin_stage_seconds_count", {"stage": one}, 1)
            for one in ("body", "waiting", "work")
        ),
    ]
    for name, labels, times in counted:
        assert difference(before, after, name, **labels) == times, (name, labels)
    rows = score(
        bundle, snapshot, [Candidate(**one) for one in (MUG, NEW, NEW)], coverage=0.8
    ).candidates
    for tenth in range(10):
        expected = sum(int(row.sell_through.estimate * 10) == tenth for row in rows)
        estimates = {"target": "sell_through", "tenth": str(tenth)}
        assert difference(before, after, "xuanpin_predictions_total", **estimates) == expected
    assert after["xuanpin_requests_in_work", ()] == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/score", {"candidates": []}, 400, "invalid_request"),
        ("/v1/score", {"candidates": [{**MUG, "market": "XX"}]}, 422, "unsupported_market"),
        ("/v1/explain", {"candidates": [{**MUG, "currency": "EUR"}]}, 400, "currency_mismatch"),
        ("/nothing", {}, 404, "not_found"),
    ],
)
def test_a_refusal_is_counted_by_its_code(
    client: TestClient, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    before = read(client)
    assert client.post(path, json=body).status_code == status
    after = read(client)
    route = path if path.startswith("/v1") else "other"
    assert difference(before, after, "xuanpin_refusals_total", code=code) == 1
    labels = {"route": route, "status": str(status)}
    assert difference(before, after, "xuanpin_requests_total", **labels) == 1


def test_paths_keys_and_ids_of_requests_make_no_series(client: TestClient) -> None:
    """H23: random paths must not fill the memory of whoever reads the metrics."""
    client.get("/first")
    before = set(read(client))
    for number in range(300):
        client.get(f"/{number}?key={number}")
        client.get("/v1/score", headers={"x-request-id": str(number)})
    added = {(name, labels) for name, labels in set(read(client)) - before}
    assert {dict(labels).get("status") for _, labels in added} <= {None, "405"}
    assert "17" not in json.dumps(sorted(str(labels) for _, labels in added))


def test_what_is_served_and_what_is_refused_can_be_watched(
    client: TestClient, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    served = LoadedArtefacts(bundle, snapshot)
    faults = [PointerError(ServingSettings().bundles, "it has no file CURRENT")]

    def load(previous: LoadedArtefacts | None) -> LoadedArtefacts:
        if previous is not None and faults:
            raise faults[0]
        return served

    before = read(client)
    artefacts = ServedArtefacts(load)
    for _ in range(3):
        artefacts.refresh()
    after = read(client)
    assert difference(before, after, "xuanpin_reloads_total") == 1
    assert difference(before, after, "xuanpin_reload_refusals_total") == 1
    assert after["xuanpin_published_pair_refused", ()] == 1
    end = after["xuanpin_snapshot_as_of_timestamp_seconds", ()]
    assert end == snapshot.as_of.timestamp()
    faults.clear()
    artefacts.refresh()
    assert read(client)["xuanpin_published_pair_refused", ()] == 0
