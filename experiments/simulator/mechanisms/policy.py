"""Draw policy cases: warnings, restrictions and takedowns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.arrays import choose
from experiments.simulator.configuration.clock import DAY_US, HOUR_US, Clock, sort_columns
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import take_names
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.candidates import Candidates
from experiments.simulator.mechanisms.localisation import LocalisationSettings
from experiments.simulator.mechanisms.requirements import count_missing_certificates
from features.runtime.arrays import FloatArray, IntArray

KINDS: Final = ("marketing", "safety", "data", "intellectual_property")
KIND_WEIGHTS: Final = (0.45, 0.25, 0.1, 0.2)
SAFETY: Final = 1
NOTICE, RESTRICTION, DELISTING = 1, 2, 3


@dataclass(frozen=True)
class PolicyCases:
    """Warnings (severity 1) and restrictions (2) of candidates, before any takedown."""

    candidate: IntArray
    day: IntArray
    hour: IntArray
    kind: IntArray
    severity: IntArray


def draw_policy_cases(
    market: Simulation, clock: Clock, candidates: Candidates, chunk: int
) -> PolicyCases:
    """Draw warnings and restrictions; low quality raises their number, above all for safety."""
    sizes = market.policy
    rng = generator(market.seed, "policy", chunk)
    life = np.maximum(clock.total_days - candidates.live_day, 0)
    rate = sizes.events_a_year / 365 * np.exp(-0.3 * candidates.quality)
    candidate = np.repeat(np.arange(len(candidates)), rng.poisson(rate * life))
    weights = np.tile(KIND_WEIGHTS, (candidate.size, 1))
    weights[:, SAFETY] *= np.exp(-0.3 * candidates.quality[candidate])
    return PolicyCases(
        candidate=candidate,
        day=candidates.live_day[candidate]
        + (rng.random(candidate.size) * life[candidate]).astype(np.int64),
        hour=rng.integers(0, 24, candidate.size),
        kind=choose(rng, weights),
        severity=np.where(
            rng.random(candidate.size) < sizes.restriction_share, RESTRICTION, NOTICE
        ),
    )


def restriction_effect(
    market: Simulation, clock: Clock, cases: PolicyCases, candidates: Candidates, rows: IntArray
) -> FloatArray:
    """Return the loss of log demand to restrictions on each day, shape (rows, days)."""
    plan_row = np.full(len(candidates), -1)
    plan_row[rows] = np.arange(rows.size)
    is_wanted = (plan_row[cases.candidate] >= 0) & (cases.severity == RESTRICTION)
    row, start = plan_row[cases.candidate[is_wanted]], cases.day[is_wanted]
    stop = np.minimum(start + round(market.policy.restricted_days), clock.total_days)
    steps = np.zeros((rows.size, clock.total_days + 1))
    np.add.at(steps, (row, start), 1.0)
    np.add.at(steps, (row, stop), -1.0)
    is_restricted = np.cumsum(steps, axis=1)[:, :-1] > 0
    return np.asarray(-market.policy.restricted_pull * is_restricted, dtype=np.float64)


def takedown_hazard(
    market: Simulation,
    clock: Clock,
    candidates: Candidates,
    settings: LocalisationSettings,
    rows: IntArray,
) -> FloatArray:
    """Return the chance of a takedown on each day, by law or by accident, shape (rows, days)."""
    accident = market.policy.delisting_a_day * np.exp(-0.5 * candidates.quality[rows])
    by_law = market.localisation.strength * market.localisation.takedown_a_day
    missing = count_missing_certificates(market, clock, settings, rows)
    is_live = np.arange(clock.total_days) >= candidates.live_day[rows][:, None]
    return np.asarray((accident[:, None] + by_law * missing) * is_live, dtype=np.float64)


def draw_takedown_day(
    market: Simulation, hazard: FloatArray, rows: IntArray, *, count: int, chunk: int
) -> IntArray:
    """Draw the first day without sales of each row, the number of days without a takedown.

    `count` is the number of candidates in the chunk: each has its own draw, listed or not.
    """
    rng = generator(market.seed, "takedown", chunk)
    patience = rng.exponential(1.0, count)[rows]
    is_gone = np.cumsum(hazard, axis=1) >= patience[:, None]
    gone = np.where(is_gone.any(axis=1), is_gone.argmax(axis=1), hazard.shape[1])
    return np.asarray(gone, dtype=np.int64)


def policy_rows(
    market: Simulation,
    clock: Clock,
    cases: PolicyCases,
    takedown: tuple[IntArray, IntArray, IntArray],
    *,
    chunk: int,
) -> dict[str, pa.Array]:
    """Return the cases of listings until their takedown, and the takedowns.

    `takedown` is (candidate, first day without sales, 1 where a certificate was missing).
    """
    candidate, gone, is_by_law = takedown
    rng = generator(market.seed, "takedown cases", chunk)
    gone_by_candidate = np.full(
        max(candidate.max(initial=0), cases.candidate.max(initial=0)) + 1, -1
    )
    gone_by_candidate[candidate] = gone
    is_shown = cases.day < np.minimum(gone_by_candidate[cases.candidate], clock.days)
    is_down = gone < clock.days
    down = candidate[is_down]
    kind = np.where(is_by_law[is_down] > 0, SAFETY, rng.integers(0, len(KINDS), down.size))
    columns = {
        "listing": np.r_[cases.candidate[is_shown], down],
        "kind": np.r_[cases.kind[is_shown], kind],
        "severity": np.r_[cases.severity[is_shown], np.full(down.size, DELISTING)],
        "time": np.r_[
            cases.day[is_shown] * DAY_US + cases.hour[is_shown] * HOUR_US + HOUR_US // 2,
            gone[is_down] * DAY_US,
        ],
    }
    ordered = sort_columns(columns, "time", "listing", "kind")
    key = np.stack([ordered[name] for name in ("listing", "kind", "time")])
    is_new = np.r_[True, (key[:, 1:] != key[:, :-1]).any(axis=0)][: key.shape[1]]
    return {
        "listing": ordered["listing"][is_new],
        "kind": take_names(KINDS, ordered["kind"][is_new]),
        "severity": pa.array(ordered["severity"][is_new]),
        "event_time": pa.array(ordered["time"][is_new]),
    }
