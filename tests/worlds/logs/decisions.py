"""Decisions of all sorts, and logs of them written by the real log."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from serving.decision_log.decision_log import DecisionLog
from serving.decision_log.log_settings import LogSettings
from serving.scoring.answers import PredictionEvidence, ScoredBatch, ScoredCandidate, Share
from serving.scoring.candidates import Candidate
from serving.scoring.score import Scoring

PATIENCE_SECONDS = 60


def random_candidates(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Draw candidates of all sorts: known or not, with and without what is optional."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return [_random_candidate(draw, f"c-{number}") for number in range(count)]


def _random_candidate(draw: random.Random, candidate_id: str) -> dict[str, Any]:
    from tests.worlds.serving import CATEGORIES, MARKETS, PRODUCTS  # it trains: not for all here

    market = draw.choice(sorted(MARKETS))
    optional = {
        "category": draw.choice([*CATEGORIES, "ufo"]),
        "supplier_id": draw.choice(["maker", "nobody"]),
        "creator_id": draw.choice(["reviewer", "选品达人"]),
    }
    return {
        "product_id": draw.choice([*PRODUCTS, "nové & staré", "brand-new"]),
        "market": market,
        "list_price_minor": draw.randint(1, 2_000),
        "currency": MARKETS[market],
        "units_offered": draw.randint(1, 2_000),
        "candidate_id": candidate_id,
        **{name: value for name, value in optional.items() if draw.random() < 0.4},
    }


def make_up_scoring(rows: int) -> Scoring:
    """Return a scored request that no model made, for what needs none."""
    share = Share(estimate=0.5, low=0.25, high=0.75, coverage=0.8)
    candidates = [
        Candidate(
            product_id=f"mug-{row}",
            market="GB",
            list_price_minor=499,
            currency="GBP",
            units_offered=10,
        )
        for row in range(rows)
    ]
    evidence = PredictionEvidence(own="none", own_weight={}, levels_used=[], as_of="")
    answers = [
        ScoredCandidate(
            candidate_id=candidate.candidate_id,
            product_id=candidate.product_id,
            market=candidate.market,
            sell_through=share,
            return_risk=share,
            score=0.25,
            evidence=evidence,
            flags=["cold_start"],
        )
        for candidate in candidates
    ]
    answer = ScoredBatch(bundle_id="b", snapshot_id="s", as_of="", candidates=answers)
    return Scoring(answer, candidates, np.zeros((rows, 2)), 0.8)


def parse(candidates: Sequence[dict[str, Any]]) -> list[Candidate]:
    return [Candidate(**candidate) for candidate in candidates]


@contextmanager
def open_log(
    directory: Path,
    clock: Callable[[], int] = time.time_ns,
    **settings: Any,  # noqa: ANN401 - those of LogSettings
) -> Iterator[DecisionLog]:
    """Run a log; what it holds is written when the block ends."""
    log = DecisionLog(LogSettings(directory=directory, **settings), clock)
    log.start()
    try:
        yield log
    finally:
        log.close(PATIENCE_SECONDS)


def record(log: DecisionLog, scoring: Scoring, request_id: str = "r", key_id: str = "") -> None:
    """Log a scored request as the service does."""
    with log.begin(request_id, key_id)(len(scoring.candidates)) as append:
        append(scoring)


def write_files(directory: Path, scoring: Scoring, count: int) -> None:
    """Write a chain of `count` files; each end of a log ends a file."""
    for number in range(count):
        with open_log(directory) as log:
            record(log, scoring, f"r-{number}")
