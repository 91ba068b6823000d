"""The configuration of a simulated market, and its presets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Self

from pydantic import Field, ValidationError, model_validator

from experiments.simulator.configuration import parameters as sizes
from experiments.simulator.configuration.categories import CATEGORIES, Category
from experiments.simulator.configuration.places import PLACES, Place
from experiments.simulator.configuration.section import Section
from features.runtime.errors import SettingsError
from features.runtime.toml_file import read_toml

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "small": {"products": 1_500, "markets": ("US", "GB", "DE"), "days": 500},
    "medium": {"products": 20_000, "markets": ("US", "GB", "DE", "FR"), "days": 365},
    "large": {"products": 110_000, "markets": ("US", "GB", "DE", "FR"), "days": 365},
}


class Simulation(Section):
    """All parameters of a simulated market; equal values give equal bytes."""

    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    products: int = Field(default=1_500, ge=1, le=10_000_000)
    markets: tuple[str, ...] = ("US", "GB", "DE")
    days: int = Field(default=500, ge=60, le=1_500)
    start: date = date(2025, 1, 1)
    chunk_products: int = Field(default=1_000, ge=1, le=10_000)
    """Products simulated at once, which bounds memory. Another value gives another market."""
    dirty: float = Field(default=0.0, ge=0, le=0.2)
    """Rows of dirt to add, as a share of each table's rows."""
    categories: tuple[Category, ...] = CATEGORIES
    places: tuple[Place, ...] = PLACES
    suppliers: sizes.SupplierSizes = sizes.SupplierSizes()
    demand: sizes.DemandSizes = sizes.DemandSizes()
    seller: sizes.SellerSizes = sizes.SellerSizes()
    creators: sizes.CreatorSizes = sizes.CreatorSizes()
    repurchase: sizes.RepurchaseSizes = sizes.RepurchaseSizes()
    localisation: sizes.LocalisationSizes = sizes.LocalisationSizes()
    logistics: sizes.LogisticsSizes = sizes.LogisticsSizes()
    policy: sizes.PolicySizes = sizes.PolicySizes()
    returns: sizes.ReturnSizes = sizes.ReturnSizes()
    reviews: sizes.ReviewSizes = sizes.ReviewSizes()
    selection: sizes.SelectionSizes = sizes.SelectionSizes()
    knowledge: sizes.KnowledgeSizes = sizes.KnowledgeSizes()
    profit: sizes.ProfitSizes = sizes.ProfitSizes()

    @model_validator(mode="after")
    def _check_markets(self) -> Self:
        known = [place.code for place in self.places]
        if not self.markets or len(set(self.markets)) < len(self.markets):
            message = "name at least one market, and each once"
            raise ValueError(message)
        unknown = sorted(set(self.markets) - set(known))
        if unknown:
            message = f"{', '.join(unknown)} is not simulated; known are {', '.join(known)}"
            raise ValueError(message)
        return self

    @property
    def market_places(self) -> tuple[Place, ...]:
        """Return the places of the simulated markets, in the order of `markets`."""
        by_code = {place.code: place for place in self.places}
        return tuple(by_code[code] for code in self.markets)

    @property
    def chunks(self) -> int:
        """Return the number of chunks of products."""
        return -(-self.products // self.chunk_products)

    @property
    def first_day(self) -> int:
        """Return the first day, in days since 1970."""
        return (self.start - date(1970, 1, 1)).days

    @property
    def end(self) -> datetime:
        """Return the time of the export; the data hold nothing that became known later."""
        return datetime.fromtimestamp((self.first_day + self.days) * 86_400, UTC)


class BadSimulationError(SettingsError):
    """Refuse a configuration of the market with an unknown key or a value out of range."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(
            problem=f"The configuration of the market is invalid at {setting}: {message}.",
            hint="docs/market.md lists the sections, keys and limits.",
        )


class UnknownPresetError(SettingsError):
    """Refuse a preset that doesn't exist."""

    def __init__(self, preset: str) -> None:
        super().__init__(
            problem=f"There is no preset {preset[:40]}.",
            hint=f"Choose {', '.join(PRESETS)}, or give --products, --markets and --days.",
        )


def configure(preset: str = "small", *, file: Path | None = None, **options: object) -> Simulation:
    """Return a preset, changed by a TOML file and then by the options that aren't None.

    Raises:
        SettingsError: an unknown preset or key, or a value out of range.
    """
    if preset not in PRESETS:
        raise UnknownPresetError(preset)
    from_file = {} if file is None else read_toml(file)
    given = {name: value for name, value in options.items() if value is not None}
    return parse_configuration({**PRESETS[preset], **from_file, **given})


def parse_configuration(values: dict[str, Any]) -> Simulation:
    """Return the configuration that plain values describe.

    Raises:
        BadSimulationError: an unknown key, or a value out of range.
    """
    try:
        return Simulation.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        setting = ".".join(str(part) for part in first["loc"]) or "markets"
        raise BadSimulationError(setting, first["msg"]) from error
