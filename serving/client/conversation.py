"""What to send and how to read the answers, without sending: both clients follow it.

A conversation is a generator. It yields what is to be done, a request or a pause, and gets the
response or the failure of a request back.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal, TypeVar

import httpx
import msgspec

from serving.client.errors import (
    PairChangedError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StrangeAnswerError,
)
from serving.client.retries import RETRIED, Retries
from serving.explanation.answers import ExplainedBatch
from serving.scoring.answers import ScoredBatch
from serving.scoring.candidates import (
    MAX_CANDIDATES,
    MAX_EXPLAINED,
    Candidate,
    ExplainRequest,
    ScoreRequest,
)
from serving.scoring.refusals import Detail

MAX_ROUNDS: Final = 5
"""Times that all candidates are asked anew because the service changed its bundle in between."""

Batch = TypeVar("Batch", ScoredBatch, ExplainedBatch)


@dataclass(frozen=True)
class Send:
    """A request to send; the response or the failure comes back."""

    method: Literal["GET", "POST"]
    path: str
    content: bytes = b""


@dataclass(frozen=True)
class Pause:
    """Seconds to wait."""

    seconds: float


Reply = httpx.Response | httpx.TransportError | None
Step = Generator[Send | Pause, Reply, Batch]


class _Fault(msgspec.Struct):
    code: str
    message: str
    request_id: str = ""
    details: list[dict[str, object]] = msgspec.field(default_factory=list)


class _Envelope(msgspec.Struct):
    error: _Fault


def converse(send: Send, form: type[Batch], *, url: str, retries: Retries) -> Step[Batch]:
    """Send a request until it is answered, and return the answer.

    Raises:
        ServiceRefusedError: the service refused, and asking again can't help or didn't.
        ServiceUnreachableError: no attempt got an answer.
        StrangeAnswerError: the answer isn't of this form.
    """
    attempt = 0
    while True:
        attempt += 1
        reply = yield send
        if isinstance(reply, httpx.Response) and reply.status_code not in RETRIED:
            return _read(reply, form, url)
        after = reply.headers.get("retry-after") if isinstance(reply, httpx.Response) else None
        seconds = retries.pause(attempt, after)
        if seconds is None:
            raise _describe_failure(reply, url, attempt)
        yield Pause(seconds)


def ask_for_scores(
    candidates: Sequence[Candidate], coverage: float, *, url: str, retries: Retries
) -> Step[ScoredBatch]:
    """Ask for the scores of any number of candidates; all are of one bundle and snapshot."""
    sends = [
        Send("POST", "/v1/score", _encode(ScoreRequest(candidates=part, coverage=coverage)))
        for part in _split(candidates, MAX_CANDIDATES)
    ]
    return _ask_for_all(sends, ScoredBatch, url=url, retries=retries)


def ask_for_explanations(
    candidates: Sequence[Candidate], features: int, *, url: str, retries: Retries
) -> Step[ExplainedBatch]:
    """Ask for the explanations of any number of candidates; see `ask_for_scores`."""
    sends = [
        Send("POST", "/v1/explain", _encode(ExplainRequest(candidates=part, features=features)))
        for part in _split(candidates, MAX_EXPLAINED)
    ]
    return _ask_for_all(sends, ExplainedBatch, url=url, retries=retries)


def _ask_for_all(
    sends: Sequence[Send], form: type[Batch], *, url: str, retries: Retries
) -> Step[Batch]:
    """Send all requests; begin again if an answer is of another bundle or snapshot than the first.

    Raises:
        PairChangedError: that happened in every round.
    """
    for _ in range(MAX_ROUNDS):
        batches: list[Batch] = []
        for send in sends:
            batches.append((yield from converse(send, form, url=url, retries=retries)))
            if _pair(batches[-1]) != _pair(batches[0]):
                break
        else:
            rows = [row for batch in batches for row in batch.candidates]
            return msgspec.structs.replace(batches[0], candidates=rows)
    raise PairChangedError(MAX_ROUNDS)


def _pair(batch: ScoredBatch | ExplainedBatch) -> tuple[str, str]:
    return batch.bundle_id, batch.snapshot_id


def _split(candidates: Sequence[Candidate], most: int) -> list[list[Candidate]]:
    """Return parts of at most `most` candidates; none are one empty part, which is refused."""
    starts = range(0, max(len(candidates), 1), most)
    return [list(candidates[start : start + most]) for start in starts]


def _encode(request: ScoreRequest | ExplainRequest) -> bytes:
    return msgspec.json.encode(request)


def _read(response: httpx.Response, form: type[Batch], url: str) -> Batch:
    try:
        if response.status_code == HTTPStatus.OK:
            return msgspec.json.decode(response.content, type=form)
        fault = msgspec.json.decode(response.content, type=_Envelope).error
        details = [msgspec.convert(detail, Detail) for detail in fault.details]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StrangeAnswerError(url, response.status_code) from error
    raise ServiceRefusedError(
        status=response.status_code,
        code=fault.code,
        message=fault.message,
        details=details,
        request_id=fault.request_id,
    )


def _describe_failure(reply: Reply, url: str, attempts: int) -> Exception:
    if isinstance(reply, httpx.Response):
        try:
            _read(reply, ScoredBatch, url)
        except (ServiceRefusedError, StrangeAnswerError) as error:
            return error
    return ServiceUnreachableError(url, str(reply) or type(reply).__name__, attempts)
