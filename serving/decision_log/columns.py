"""The columns of the decision log, and decisions as rows of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from operator import add
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from features.runtime.arrays import FloatArray
from serving.decision_log.arrow_arrays import build_array
from serving.decision_log.row_queue import Decision
from serving.scoring.answers import ScoredCandidate, Share
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

_ENDS: Final = ("estimate", "low", "high")


_NO_SHARE: Final = msgspec.defstruct(
    "_NoShare", [(name, None, None) for name in Share.__struct_fields__]
)()
"""A share that isn't predicted, with the fields of one that is."""


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
    position = list(chain.from_iterable(map(range, counts)))
    scorings = [decision.scoring for decision in decisions]
    once = (
        [decision.sequence for decision in decisions],
        [decision.time_us for decision in decisions],
        [decision.request_id for decision in decisions],
        [decision.key_id for decision in decisions],
        [scoring.coverage for scoring in scorings],
        [scoring.answer.bundle_id for scoring in scorings],
        [scoring.answer.snapshot_id for scoring in scorings],
    )
    first, time, request_id, key_id, *rest = (
        list(chain.from_iterable(map(repeat, values, counts))) for values in once
    )
    sequence = list(map(add, first, position))
    return _build_arrays(FACTS, (sequence, time, request_id, key_id, position, *rest))


def build_results(scorings: Sequence[Scoring]) -> list[pa.Array]:
    """Return the columns of `RESULT` for scored candidates."""
    answers = _to_columns(
        ScoredCandidate, chain.from_iterable(scoring.answer.candidates for scoring in scorings)
    )
    sell_through = _to_columns(Share, answers["sell_through"])
    return_risk = _to_columns(Share, (share or _NO_SHARE for share in answers["return_risk"]))
    columns = (
        digest_rows(np.concatenate([scoring.matrix for scoring in scorings])),
        *(sell_through[end] for end in _ENDS),
        *(return_risk[end] for end in _ENDS),
        answers["score"],
        answers["flags"],
    )
    return _build_arrays(RESULT, columns)


def _to_columns(
    struct: type[msgspec.Struct], rows: Iterable[msgspec.Struct]
) -> dict[str, tuple[Any, ...]]:
    """Return the fields of structs as columns: a few times quicker than reading each field."""
    columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
    return dict(zip(struct.__struct_fields__, columns, strict=True))


def _build_arrays(schema: pa.Schema, columns: Iterable[Sequence[Any]]) -> list[pa.Array]:
    return [build_array(values, type_) for values, type_ in zip(columns, schema.types, strict=True)]


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
