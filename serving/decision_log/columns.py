"""The columns of the decision log, and decisions as rows of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from features.runtime.arrays import FloatArray
from serving.decision_log.row_queue import Decision
from serving.scoring.answers import ScoredCandidate
from serving.scoring.candidates import Candidate
from serving.scoring.score import Scoring

DIGEST_BYTES: Final = 16
_TEXT: Final = pa.string()

CANDIDATE: Final = pa.schema(
    [
        ("product_id", _TEXT),
        ("market", _TEXT),
        ("list_price_minor", pa.int64()),
        ("currency", _TEXT),
        ("units_offered", pa.int64()),
        ("listing_id", _TEXT),
        ("category", _TEXT),
        ("supplier_id", _TEXT),
        ("creator_id", _TEXT),
        ("candidate_id", _TEXT),
    ]
)
"""The fields of a candidate as the service admitted it, in the order of `Candidate`."""

RESULT: Final = pa.schema(
    [
        ("feature_digest", pa.binary(DIGEST_BYTES)),
        ("sell_through", pa.float64()),
        ("sell_through_low", pa.float64()),
        ("sell_through_high", pa.float64()),
        ("return_risk", pa.float64()),
        ("return_risk_low", pa.float64()),
        ("return_risk_high", pa.float64()),
        ("score", pa.float64()),
        ("flags", pa.list_(_TEXT)),
    ]
)
"""What a replay with the same bundle and snapshot must repeat, bit for bit."""

FACTS: Final = pa.schema(
    [
        ("sequence", pa.int64()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("request_id", _TEXT),
        ("key_id", _TEXT),
        ("position", pa.int32()),
        ("coverage", pa.float64()),
        ("bundle_id", _TEXT),
        ("snapshot_id", _TEXT),
    ]
)

SCHEMA: Final = pa.schema([*FACTS, *CANDIDATE, *RESULT])

_SELL_THROUGH: Final = attrgetter("sell_through.estimate", "sell_through.low", "sell_through.high")
_RETURN_RISK: Final = attrgetter("return_risk.estimate", "return_risk.low", "return_risk.high")
_NOT_PREDICTED: Final = (None, None, None)


def build_rows(decisions: Sequence[Decision]) -> pa.RecordBatch:
    """Return the candidates of decisions as rows, in order."""
    scorings = [decision.scoring for decision in decisions]
    candidates = chain.from_iterable(scoring.candidates for scoring in scorings)
    arrays = [
        *_build_facts(decisions),
        *_build_arrays(CANDIDATE, zip(*map(msgspec.structs.astuple, candidates), strict=True)),
        *build_results(scorings),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _build_facts(decisions: Sequence[Decision]) -> list[pa.Array]:
    counts = [decision.rows for decision in decisions]
    position = np.concatenate([np.arange(rows, dtype=np.int32) for rows in counts])
    first = [decision.sequence for decision in decisions]
    repeated = (
        [decision.time_us for decision in decisions],
        [decision.request_id for decision in decisions],
        [decision.key_id for decision in decisions],
        [decision.scoring.coverage for decision in decisions],
        [decision.scoring.answer.bundle_id for decision in decisions],
        [decision.scoring.answer.snapshot_id for decision in decisions],
    )
    rows = pa.array(np.repeat(np.arange(len(counts)), counts))
    types = [FACTS.field(name).type for name in FACTS.names if name not in {"sequence", "position"}]
    time, request_id, key_id, *rest = (
        pa.array(values, type_).take(rows) for values, type_ in zip(repeated, types, strict=True)
    )
    sequence = pa.array(np.repeat(np.array(first, dtype=np.int64), counts) + position)
    return [sequence, time, request_id, key_id, pa.array(position), *rest]


def build_results(scorings: Sequence[Scoring]) -> list[pa.Array]:
    """Return the columns of `RESULT` for scored candidates."""
    answers = list(chain.from_iterable(scoring.answer.candidates for scoring in scorings))
    digests = chain.from_iterable(digest_rows(scoring.matrix) for scoring in scorings)
    rows = (
        (digest, *_SELL_THROUGH(answer), *_get_return_risk(answer), answer.score, answer.flags)
        for digest, answer in zip(digests, answers, strict=True)
    )
    return _build_arrays(RESULT, zip(*rows, strict=True))


def _get_return_risk(answer: ScoredCandidate) -> tuple[float | None, ...]:
    values: tuple[float, ...] | None = (
        _RETURN_RISK(answer) if answer.return_risk is not None else None
    )
    return values or _NOT_PREDICTED


def _build_arrays(schema: pa.Schema, columns: Iterable[Sequence[Any]]) -> list[pa.Array]:
    return [pa.array(values, type_) for values, type_ in zip(columns, schema.types, strict=True)]


def digest_rows(matrix: FloatArray) -> list[bytes]:
    """Return a digest of each row of a design matrix: the first half of its SHA-256.

    It covers the float64 values in the order of the inputs, little-endian. Every null counts as the
    same NaN, because the models can't tell one from another.
    """
    data = memoryview(np.where(np.isnan(matrix), np.nan, matrix).tobytes())
    width = matrix.shape[1] * matrix.itemsize
    return [
        hashlib.sha256(data[start : start + width]).digest()[:DIGEST_BYTES]
        for start in range(0, len(data), width)
    ]


if CANDIDATE.names != list(Candidate.__struct_fields__):  # pragma: no cover - a defect of the code
    raise AssertionError("the log doesn't have the fields of a candidate")
