"""Read the truth, and evaluate what would be true after a change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.simulator.configuration.configuration import Simulation, parse_configuration
from experiments.simulator.configuration.identifiers import PRODUCT_DIGITS
from experiments.simulator.mechanisms.expectations import ExpectedOutcome, Lot, Outlook
from experiments.simulator.mechanisms.localisation import NEVER, LocalisationSettings
from experiments.simulator.mechanisms.plan import (
    Chunk,
    ChunkPlan,
    World,
    build_world,
    draw_chunk,
    make_plan,
    plan_at_prices,
)
from experiments.simulator.tables.writing import MARK
from features.runtime.arrays import FloatArray
from features.runtime.errors import DataError


class NoTruthError(DataError):
    """Refuse a directory that holds no truth."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            problem=f"The directory {directory.name} doesn't hold the truth of a simulated market.",
            hint="Name the directory DATA-truth that `xuanpin simulate --out DATA` wrote.",
        )


class UnknownCandidateError(DataError):
    """Refuse a candidate that the market doesn't have."""

    def __init__(self, listing_id: str, reason: str) -> None:
        super().__init__(
            problem=f"The simulated market has no candidate {listing_id}: {reason}.",
            hint=(
                "Name a candidate such as L00000012-US; the truth's table `candidates` lists all, "
                "with their first days."
            ),
        )


class UnknownAttributeError(DataError):
    """Refuse to change an attribute that the candidate doesn't have."""

    def __init__(self, attribute: str, known: list[str]) -> None:
        super().__init__(
            problem=f"The candidate has no attribute {attribute[:40]}.",
            hint=(
                f"Change one of {', '.join(known)}; a certificate that no market demands has no "
                "effect."
            ),
        )


@dataclass(frozen=True)
class Change:
    """A change of the price from `as_of` on, and of attributes from going live on.

    Values of attributes are 0 (missing) to 1 (met), such as
    `{"size_chart": 1.0, "certificate:CE": 0.0}`.
    """

    price_minor: int | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)


NO_CHANGE = Change()


@dataclass(frozen=True)
class CandidateTruth:
    """The truth of a candidate at a moment, for a lot."""

    as_of_day: int
    units_offered: int
    expected_units: float
    sell_through: float
    return_risk: float
    profit_minor: float
    propensity: float


class Truth:
    """The truth beside a simulated market."""

    def __init__(self, directory: Path, market: Simulation) -> None:
        """Store the directory, which `open` checks."""
        self._directory = directory
        self.market = market
        self._world: World | None = None
        self._chunk: Chunk | None = None

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the truth's own directory, `DATA-truth`.

        Raises:
            NoTruthError: the directory holds no truth.
            BadSimulationError: its configuration has another form.
        """
        mark = directory / MARK
        if not mark.is_file():
            raise NoTruthError(directory)
        return cls(directory, parse_configuration(json.loads(mark.read_text(encoding="utf-8"))))

    def moments(self) -> pa.Table:
        """Return a row a listing and moment of the spine: lot, expectations, realised targets."""
        return pq.read_table(self._directory / "moments")

    def candidates(self) -> pa.Table:
        """Return all candidates, listed or not: propensity and hidden traits."""
        return pq.read_table(self._directory / "candidates")

    def evaluate(
        self,
        listing_id: str,
        *,
        units_offered: int,
        as_of_day: int | None = None,
        change: Change = NO_CHANGE,
    ) -> CandidateTruth:
        """Return the truth of a candidate for a lot on hand, with an optional change.

        The generator's own mechanisms compute it; nothing is estimated. `as_of_day` is the first
        midnight from going live on by default.

        Raises:
            UnknownCandidateError: the candidate doesn't exist, or isn't on sale on that day.
            UnknownAttributeError: the candidate has no such attribute to change.
        """
        lots = np.array([float(units_offered)])
        chunk, row, day, expected = self._expect(
            listing_id, lots, as_of_day=as_of_day, change=change
        )
        return CandidateTruth(
            as_of_day=day + self._load_world().clock.first_day,
            units_offered=units_offered,
            expected_units=float(expected.units[0]),
            sell_through=float(expected.sell_through[0]),
            return_risk=float(expected.return_rate[0]),
            profit_minor=float(expected.profit_minor[0]),
            propensity=float(chunk.candidates.propensity[row]),
        )

    def expect_units(self, listing_id: str, lots: FloatArray, *, as_of_day: int) -> FloatArray:
        """Return the units that lots on hand are expected to sell, each by itself, (lots,).

        Raises:
            UnknownCandidateError: the candidate doesn't exist, or isn't on sale on that day.
        """
        *_, expected = self._expect(listing_id, lots, as_of_day=as_of_day, change=NO_CHANGE)
        return expected.sell_through * lots

    def _expect(
        self, listing_id: str, lots: FloatArray, *, as_of_day: int | None, change: Change
    ) -> tuple[Chunk, int, int, ExpectedOutcome]:
        """Return the candidate's chunk and row, the day from the first one, and the truth a lot."""
        world = self._load_world()
        chunk, row = self._find(listing_id)
        live_day = int(chunk.candidates.live_day[row])
        day = live_day if as_of_day is None else as_of_day - world.clock.first_day
        if not live_day <= day <= world.clock.days:
            raise UnknownCandidateError(listing_id, "not on sale on that day")
        outlook = Outlook(world, chunk.candidates, self._plan_change(chunk, row, day, change))
        none = np.zeros(lots.size, np.int64)
        expected = outlook.expect(none, none + day, Lot(lots, np.zeros(lots.size), none))
        return chunk, row, day, expected

    def _plan_change(self, chunk: Chunk, row: int, day: int, change: Change) -> ChunkPlan:
        world, rows = self._load_world(), np.array([row])
        settings = _change_attributes(chunk.settings, row, change.attributes)
        changed = replace(chunk, settings=settings)
        log_price = make_plan(world, changed, rows).log_price
        if change.price_minor is not None:
            log_price = self._set_price(log_price, chunk, row, day, change.price_minor)
        return plan_at_prices(world, changed, rows, log_price)

    def _set_price(
        self, log_price: FloatArray, chunk: Chunk, row: int, day: int, price_minor: int
    ) -> FloatArray:
        place = self.market.market_places[int(chunk.candidates.place[row])]
        dollars = price_minor / 100 / place.per_dollar
        is_after = np.arange(log_price.shape[1]) >= day
        return np.where(is_after, np.log(dollars), log_price)

    def _load_world(self) -> World:
        if self._world is None:
            self._world = build_world(self.market)
        return self._world

    def _find(self, listing_id: str) -> tuple[Chunk, int]:
        """Return the candidate's chunk and row; the last chunk is kept."""
        number, _, code = listing_id.removeprefix("L").partition("-")
        is_valid = number.isdecimal() and len(number) == PRODUCT_DIGITS
        if not is_valid or code not in self.market.markets or int(number) >= self.market.products:
            raise UnknownCandidateError(listing_id[:40], "no such product and market")
        chunk, product = divmod(int(number), self.market.chunk_products)
        if self._chunk is None or self._chunk.number != chunk:
            self._chunk = draw_chunk(self._load_world(), chunk)
        place = self.market.markets.index(code)
        return self._chunk, product * len(self.market.markets) + place


def _change_attributes(
    settings: LocalisationSettings, row: int, attributes: Mapping[str, float]
) -> LocalisationSettings:
    changed = dict(settings)
    for name, value in attributes.items():
        if name not in settings or not settings[name].applies[row]:
            raise UnknownAttributeError(
                name, [known for known, setting in settings.items() if setting.applies[row]]
            )
        values, repaired = settings[name].value.copy(), settings[name].repaired_day.copy()
        values[row], repaired[row] = value, NEVER
        changed[name] = replace(settings[name], value=values, repaired_day=repaired)
    return changed
