from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.exceptions import StarletteDeprecationWarning

from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import ArtefactError
from features.runtime.pointer import PointerError, resolve
from serving.api.app import build_app
from serving.api.settings import ServingSettings
from serving.bundle.bundle import Bundle
from serving.scoring.candidates import Candidate
from serving.scoring.loading import LoadedArtefacts, load_artefacts
from serving.scoring.score import score
from tests.worlds.serving import replace_leaves

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
LIMIT = 1 << 20
JSON = {"content-type": "application/json"}


@contextmanager
def serving(served: LoadedArtefacts | ArtefactError) -> Iterator[TestClient]:
    """Run the application as a server does; it answers when it has loaded or refused."""

    def load(_: LoadedArtefacts | None) -> LoadedArtefacts:
        if isinstance(served, ArtefactError):
            raise served
        return served

    app = build_app(ServingSettings(max_body_bytes=LIMIT), load)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def client(bundle: Bundle, snapshot: OnlineSnapshot) -> Iterator[TestClient]:
    with serving(LoadedArtefacts(bundle, snapshot)) as opened:
        yield opened


def post(client: TestClient, body: bytes | str, **headers: str) -> httpx.Response:
    response: httpx.Response = client.post("/v1/score", content=body, headers={**JSON, **headers})
    return response


def body_of(*candidates: dict[str, Any], **more: object) -> bytes:
    return json.dumps({"candidates": candidates, **more}).encode()


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Check the form of an error response and return its error."""
    assert response.headers["content-type"] == "application/json"
    (error,) = response.json().values()
    assert list(error) == ["code", "message", "details", "request_id"]
    assert error["request_id"] == response.headers["x-request-id"]
    for detail in error["details"]:
        assert list(detail) == ["loc", "code"]
    return dict(error)


def test_score_answers_what_the_scoring_function_returns(
    client: TestClient, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    candidates = [GOOD, {**GOOD, "listing_id": "mug-1|GB"}, {**GOOD, "product_id": "new"}]
    response = post(client, body_of(*candidates, coverage=0.9))
    parsed = [Candidate(**candidate) for candidate in candidates]
    expected = score(bundle, snapshot, parsed, coverage=0.9)
    assert response.status_code == 200
    assert response.content == msgspec.json.encode(expected)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("count", [1, 1_000])
def test_score_of_up_to_the_limit_answers_all_in_order(client: TestClient, count: int) -> None:
    candidates = [{**GOOD, "candidate_id": f"c-{i}", "units_offered": i + 1} for i in range(count)]
    answers = post(client, body_of(*candidates)).json()["candidates"]
    assert [answer["candidate_id"] for answer in answers] == [f"c-{i}" for i in range(count)]


def _with(**changes: object) -> bytes:
    return body_of({**GOOD, **changes})


SECRET = "s3cret"  # noqa: S105 - a marker that no answer may repeat
HOSTILE: tuple[tuple[str, bytes, int, str, list[dict[str, Any]]], ...] = (
    (
        "H01 empty",
        b"",
        400,
        "malformed_json",
        [{"loc": ["line", 1, "column", 1], "code": "not_json"}],
    ),
    (
        "H01 cut off",
        b'{"candidates":\n [',
        400,
        "malformed_json",
        [{"loc": ["line", 2, "column", 3], "code": "not_json"}],
    ),
    (
        "H01 bad UTF-8",
        b'{"\xff\xfe": 1}',
        400,
        "malformed_json",
        [{"loc": ["byte", 3], "code": "not_utf8"}],
    ),
    *(
        (name, body * 100_000, 400, "malformed_json", [{"loc": [], "code": "too_deep"}])
        for name, body in (("H01 nested arrays", b"["), ("H01 nested objects", b'{"a":'))
    ),
    *(
        (name, body, 400, "malformed_json", [{"loc": [], "code": "half_character"}])
        for name, body in (
            ("H42 in a name at the root", b'{"\\ud800": 1}'),
            ("H42 in a name", _with(**{"\ud800": 1})),
            ("H42 in a value", _with(product_id="\ud800")),
            ("H42 in a value of an unknown field", body_of(GOOD, note=["\udfff"])),
        )
    ),
    (
        "H01 huge integer",
        _with(units_offered=7).replace(b"7", b"9" * 5_000),
        400,
        "invalid_request",
        [{"loc": ["candidates", 0, "units_offered"], "code": "out_of_range"}],
    ),
    (
        "H02 number as text",
        _with(units_offered="12"),
        400,
        "invalid_request",
        [{"loc": ["candidates", 0, "units_offered"], "code": "wrong_type"}],
    ),
    (
        "H02 truth value as number",
        _with(list_price_minor=True),
        400,
        "invalid_request",
        [{"loc": ["candidates", 0, "list_price_minor"], "code": "wrong_type"}],
    ),
    ("H03 NaN", body_of(GOOD, coverage=float("nan")), 400, "not_finite", []),
    ("H03 Infinity", _with(list_price_minor=float("inf")), 400, "not_finite", []),
    ("H03 overflow", _with(units_offered=7).replace(b"7", b"1e999"), 400, "not_finite", []),
    (
        "H05 unknown at the root",
        body_of(GOOD, **{f"{SECRET}!": 1}),
        400,
        "invalid_request",
        [{"loc": [], "code": "unknown_field"}],
    ),
    (
        "H05 unknown in a candidate",
        _with(**{f"{SECRET} 1": 1}),
        400,
        "invalid_request",
        [{"loc": ["candidates", 0], "code": "unknown_field"}],
    ),
    (
        "H05 unknown in a candidate, with a plain name",
        _with(price=4.99),
        400,
        "invalid_request",
        [{"loc": ["candidates", 0, "price"], "code": "unknown_field"}],
    ),
    (
        "H05 duplicate at the root",
        b'{"coverage": 0.8, ' + body_of(GOOD, coverage=0.9)[1:],
        400,
        "duplicate_key",
        [{"loc": ["coverage"], "code": "duplicate_key"}],
    ),
    (
        "H05 duplicate in a candidate",
        _with().replace(b'"market"', b'"market": "DE", "market"'),
        400,
        "duplicate_key",
        [{"loc": ["market"], "code": "duplicate_key"}],
    ),
    (
        "H08 no candidates",
        body_of(),
        400,
        "invalid_request",
        [{"loc": ["candidates"], "code": "too_few"}],
    ),
    ("H08 one too many", body_of(*[GOOD] * 1_001), 413, "too_many_candidates", []),
    (
        "H08 one bad of many",
        body_of(*[GOOD] * 500, {**GOOD, "units_offered": 0}, *[GOOD] * 400),
        400,
        "invalid_request",
        [{"loc": ["candidates", 500, "units_offered"], "code": "out_of_range"}],
    ),
    (
        "H11 market of no data",
        body_of(GOOD, {**GOOD, "market": "FR", "currency": "EUR"}),
        422,
        "unsupported_market",
        [{"loc": ["candidates", 1, "market"], "code": "unsupported_market"}],
    ),
    (
        "H12 a moment of one's own",
        body_of(GOOD, as_of="9999-12-31T23:59:59"),
        400,
        "invalid_request",
        [{"loc": ["as_of"], "code": "unknown_field"}],
    ),
    *(
        (
            f"H13 {field} {value}",
            _with(**{field: value}),
            400,
            "invalid_request",
            [{"loc": ["candidates", 0, field], "code": "out_of_range"}],
        )
        for field, value in (
            ("list_price_minor", -1),
            ("list_price_minor", 0),
            ("list_price_minor", 10**18),
            ("units_offered", 0),
            ("units_offered", -5),
        )
    ),
    (
        "H14 not a currency",
        _with(currency="£"),
        400,
        "invalid_request",
        [{"loc": ["candidates", 0, "currency"], "code": "wrong_form"}],
    ),
    *(
        (
            f"H14 {currency} in GB",
            _with(currency=currency),
            400,
            "currency_mismatch",
            [{"loc": ["candidates", 0, "currency"], "code": "currency_mismatch"}],
        )
        for currency in ("EUR", "XXQ")
    ),
    (
        "H14 mixed",
        body_of(GOOD, {**GOOD, "currency": "EUR"}),
        400,
        "currency_mismatch",
        [{"loc": ["candidates", 1, "currency"], "code": "currency_mismatch"}],
    ),
    *(
        (
            f"H15 {identifier[:12]!r}",
            _with(listing_id=identifier),
            400,
            "invalid_request",
            [{"loc": ["candidates", 0, "listing_id"], "code": "wrong_form"}],
        )
        for identifier in (
            f"../{SECRET}",
            f"{SECRET}/../..",
            f"%2e%2e{SECRET}",
            f"{SECRET}\0",
            f"{SECRET}\r\nset-cookie: a",
            f"{SECRET}\u202e",
            SECRET * 2_000,
        )
    ),
    (
        "listing of another product",
        _with(listing_id="mug-2|GB"),
        400,
        "listing_mismatch",
        [{"loc": ["candidates", 0, "listing_id"], "code": "listing_mismatch"}],
    ),
)


@pytest.mark.parametrize(
    ("body", "status", "code", "details"),
    [row[1:] for row in HOSTILE],
    ids=[row[0] for row in HOSTILE],
)
def test_hostile_body_is_refused_and_the_service_goes_on(
    client: TestClient, body: bytes, status: int, code: str, details: list[dict[str, Any]]
) -> None:
    response = post(client, body)
    error = error_of(response)
    assert (response.status_code, error["code"], error["details"]) == (status, code, details)
    assert SECRET not in response.text
    assert post(client, body_of(GOOD)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "text/plain"}, 415, "unsupported_media_type"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"content-type": "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"),
        ({"content-type": "application/vnd.bentoml+pickle"}, 415, "unsupported_media_type"),
        ({"content-type": "application/json; charset=utf-16"}, 415, "unsupported_media_type"),
        ({"content-type": "application/json, text/plain"}, 415, "unsupported_media_type"),
        ({"content-type": ""}, 415, "unsupported_media_type"),
        ({"content-encoding": "gzip"}, 415, "unsupported_encoding"),
        ({"content-encoding": "identity, br"}, 415, "unsupported_encoding"),
        ({"content-length": str(LIMIT + 1)}, 413, "body_too_large"),
        ({"content-length": "9" * 400}, 413, "body_too_large"),
        ({"content-length": "-1"}, 400, "incomplete_body"),
    ],
)
def test_hostile_header_is_refused_before_the_body_is_read(
    client: TestClient, headers: dict[str, str], status: int, code: str
) -> None:
    response = post(client, body_of(GOOD), **headers)
    assert (response.status_code, error_of(response)["code"]) == (status, code)


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"']
)
def test_content_type_of_json_is_accepted(client: TestClient, content_type: str) -> None:
    assert post(client, body_of(GOOD), **{"content-type": content_type}).status_code == 200


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413), (8 * LIMIT, 413)])
def test_body_is_read_up_to_the_limit(client: TestClient, size: int, status: int) -> None:
    body = body_of(GOOD).ljust(size)
    chunks = (body[start : start + 65_536] for start in range(0, size, 65_536))
    by_length = post(client, body)
    by_chunks = client.post("/v1/score", content=chunks, headers=JSON)
    assert (by_length.status_code, by_chunks.status_code) == (status, status)
    assert "content-length" not in by_chunks.request.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/score/", 404, "not_found"),
        ("POST", "/v1/../v1/other", 404, "not_found"),
        ("GET", "/docs.json", 404, "not_found"),
        ("GET", f"/{SECRET}", 404, "not_found"),
        ("GET", "/v1/score", 405, "method_not_allowed"),
        ("DELETE", "/v1/score", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
    ],
)
def test_path_or_method_unknown_gets_the_envelope(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path, follow_redirects=False)
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert SECRET not in response.text
    assert ("allow" in response.headers) == (status == 405)


def test_refusal_is_one_line_in_the_log_without_the_input(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="serving"):
        error = error_of(post(client, _with(listing_id=f"../{SECRET}\r\n")))
    assert [record.getMessage() for record in caplog.records if "serving" in record.name] == [
        f"request {error['request_id']} refused: invalid_request"
    ]


def test_probes_tell_what_serves(client: TestClient, bundle: Bundle) -> None:
    assert client.get("/livez").json() == {"alive": True}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["bundle_id"] == bundle.bundle_id


def test_probes_without_a_model_tell_alive_but_not_ready(tmp_path: Path) -> None:
    with serving(PointerError(tmp_path, "there is no such file")) as client:
        assert client.get("/livez").status_code == 200
        for response in (client.get("/readyz"), post(client, body_of(GOOD))):
            assert (response.status_code, error_of(response)["code"]) == (503, "no_model")
            assert response.headers["retry-after"] == "1"


def test_answer_of_a_model_that_fails_is_an_error(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    model = bundle.models.targets["return_risk"]
    broken = replace(model, boosters=(replace_leaves(model.boosters[0], "nan"),))
    targets = {**bundle.models.targets, "return_risk": broken}
    other = replace(bundle, models=replace(bundle.models, targets=targets))
    with serving(LoadedArtefacts(other, snapshot)) as client:
        response = post(client, body_of(GOOD))
    assert (response.status_code, error_of(response)["code"]) == (500, "invalid_prediction")


def test_answer_to_a_fault_of_ours_tells_nothing_of_it_and_the_log_all(
    bundle: Bundle, run_directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(resolve(run_directory / "snapshots"), tmp_path / "snapshot")
    unmapped = OnlineSnapshot.open(tmp_path / "snapshot")
    unmapped.close()
    with serving(LoadedArtefacts(bundle, unmapped)) as client:
        response = post(client, body_of(GOOD))
    error = error_of(response)
    assert (response.status_code, error["code"], error["details"]) == (500, "internal", [])
    assert "Traceback" not in response.text
    assert error["message"] == (
        "The service failed. The log has the details under this request id."
    )
    (record,) = (
        record
        for record in caplog.records
        if record.getMessage() == f"request {error['request_id']} failed"
    )
    assert record.exc_info is not None


def test_loading_of_a_published_run_serves_it(run_directory: Path, tmp_path: Path) -> None:
    shutil.copytree(run_directory, tmp_path / "run")
    settings = ServingSettings(run=tmp_path / "run")
    served = load_artefacts(bundles=settings.bundles, snapshots=settings.snapshots)
    assert served.bundle.bundle_id == resolve(settings.bundles).name
    assert served.snapshot.snapshot_id == resolve(settings.snapshots).name
    served.snapshot.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: shutil.rmtree(run / "bundles"),
        lambda run: (run / "snapshots" / "CURRENT").unlink(),
        lambda run: (resolve(run / "bundles") / "pooling.json").write_text("{}"),
        lambda run: (resolve(run / "snapshots") / "data.mdb").write_bytes(b"\0" * 12_288),
        lambda run: (resolve(run / "snapshots") / "data.mdb").unlink(),
        lambda run: (resolve(run / "snapshots") / "snapshot.json").write_text("{}"),
    ],
    ids=["no bundles", "no pointer", "bundle edited", "data zeroed", "no data", "about edited"],
)
def test_loading_of_a_spoilt_run_is_refused(
    spoil: Any,  # noqa: ANN401 - a lambda of the table above
    run_directory: Path,
    tmp_path: Path,
) -> None:
    shutil.copytree(run_directory, tmp_path / "run")
    spoil(tmp_path / "run")
    with pytest.raises(ArtefactError):
        load_artefacts(
            bundles=tmp_path / "run" / "bundles", snapshots=tmp_path / "run" / "snapshots"
        )


def test_model_in_use_is_described_with_its_evaluation_and_card(
    client: TestClient, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    response = client.get("/v1/model")
    about = response.json()
    assert (response.status_code, about["bundle_id"]) == (200, bundle.bundle_id)
    assert about["snapshot_id"] == snapshot.snapshot_id
    assert about["evaluation"] == bundle.manifest.metrics
    assert about["markets"] == snapshot.about.markets
    assert about["targets"] == ["sell_through", "return_risk"]
    assert about["card"] == "# A small model\n"
    assert client.head("/v1/model").headers["content-length"] == str(len(response.content))


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("order-4711", True),
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("", False),
        ("../etc", False),
        ("two words", False),
        ("<script>", False),
    ],
)
def test_request_keeps_a_plain_id_of_its_own(
    client: TestClient,
    given: str,
    is_kept: bool,  # noqa: FBT001 - a column of the table
) -> None:
    answered = post(client, body_of(GOOD), **{"x-request-id": given})
    refused = post(client, b"{", **{"x-request-id": given})
    assert (answered.headers["x-request-id"] == given) == is_kept
    assert (error_of(refused)["request_id"] == given) == is_kept
