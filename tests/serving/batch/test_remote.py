from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import XuanpinError
from features.runtime.pointer import PointerError
from features.runtime.progress import ignore_progress
from serving.api.app import build_app
from serving.api.settings import ServingSettings
from serving.batch.errors import NoServiceAddressError, OptionsOfARunError
from serving.batch.remote import check_options, score_file_remotely, score_rows_remotely
from serving.batch.score_file import score_file
from serving.bundle.bundle import Bundle
from serving.client import Client
from serving.client.errors import ServiceRefusedError
from serving.client.retries import Retries
from serving.scoring.candidates import Candidate
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.selection import SelectionRequest
from tests.serving.http_server import serve_over_http

GOOD: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
}


@pytest.fixture(scope="module")
def service(bundle: Bundle, snapshot: OnlineSnapshot) -> Iterator[str]:
    served = LoadedArtefacts(bundle, snapshot)
    with serve_over_http(build_app(ServingSettings(), lambda _: served)) as address:
        yield address


@pytest.mark.parametrize("every", [1, 2, 50])
def test_file_scored_by_a_service_is_that_scored_here(
    service: str, bundle: Bundle, snapshot: OnlineSnapshot, tmp_path: Path, every: int
) -> None:
    """Rows of an unknown market are refused by the service, those without units before it."""
    rows = [
        {
            **GOOD,
            "units_offered": row % 7,
            "market": "XX" if row % every == 0 else "GB",
        }
        for row in range(150)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    here = score_file(
        LoadedArtefacts(bundle, snapshot),
        tmp_path / "in.parquet",
        tmp_path / "here.parquet",
        coverage=0.9,
        progress=ignore_progress,
    )
    there = score_file_remotely(
        service,
        None,
        tmp_path / "in.parquet",
        tmp_path / "there.parquet",
        coverage=0.9,
        progress=ignore_progress,
    )
    assert pq.read_table(tmp_path / "there.parquet") == pq.read_table(tmp_path / "here.parquet")
    assert there == here
    assert there.refused


def test_refusal_that_no_candidate_causes_ends_the_file() -> None:
    app = build_app(ServingSettings(), _load_nothing)
    with (
        serve_over_http(app) as address,
        Client(address, retries=Retries(attempts=1)) as client,
        pytest.raises(ServiceRefusedError, match="no_model"),
    ):
        score_rows_remotely(client, [Candidate(**GOOD)], coverage=0.8)


def _load_nothing(_: LoadedArtefacts | None) -> LoadedArtefacts:
    raise PointerError(Path("run"), "it has no file CURRENT")


@pytest.mark.parametrize("url", ["", "localhost:3000", "ftp://host", "http://", "file:///etc"])
def test_address_that_is_not_of_http_is_refused(url: str) -> None:
    with pytest.raises(NoServiceAddressError):
        check_options(url, is_local=False, request=None)


@pytest.mark.parametrize(
    ("is_local", "request_"),
    [(True, None), (False, SelectionRequest(target="sell_through", threshold=0.5, bad_share=0.1))],
)
def test_options_of_a_run_are_refused_beside_an_address(
    *, is_local: bool, request_: SelectionRequest | None
) -> None:
    with pytest.raises(OptionsOfARunError):
        check_options("http://127.0.0.1:3000", is_local=is_local, request=request_)


@pytest.mark.parametrize("content", [b"", b"  \n", b"two\nlines", "schlüssel".encode(), None])
def test_file_without_a_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(XuanpinError, match="no API key"):
        score_file_remotely(
            "http://127.0.0.1:9",
            path,
            tmp_path / "in.csv",
            tmp_path / "out.csv",
            coverage=0.8,
            progress=ignore_progress,
        )
