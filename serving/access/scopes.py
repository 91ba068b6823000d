"""Which path of the service needs which scope of a key."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What a key may be used for; `admin` includes the others."""

    SCORE = "score"
    EXPLAIN = "explain"
    METRICS = "metrics"
    ADMIN = "admin"


PROBES: Final = frozenset({"/livez", "/readyz"})
"""Paths that need no key: a load balancer has none."""

NEEDED_SCOPES: Final[Mapping[str, Scope | None]] = {
    "/v1/score": Scope.SCORE,
    "/v1/explain": Scope.EXPLAIN,
    "/v1/model": None,
    "/openapi.json": None,
    "/reference": None,
    "/metrics": Scope.METRICS,
}
"""The scope of each path; None where any valid key will do. A path that is missing here, such as
that of a new route, needs `admin`."""
