"""The calendar of days on which more sells, as settings: what users know and a first year can't."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from features.contract.columns import MARKETS
from serving.prediction.seasonality import LEAST_RISE, MOST_RISE, SeasonRise

LEAP_YEAR: Final = 2024
"""In which every date of any year exists."""


def _real(text: str) -> str:
    """Refuse a month and day that no year has.

    Raises:
        ValueError: it is none.
    """
    try:
        date.fromisoformat(f"{LEAP_YEAR}-{text}")
    except ValueError as error:
        raise ValueError(f"no month and day such as 11-26: {text!r}") from error
    return text


def _known(code: str) -> str:
    """Refuse a market that no data can have: with `UK` the calendar would never speak.

    Raises:
        ValueError: it isn't a country's code.
    """
    if code not in MARKETS:
        raise ValueError(f"no ISO 3166 code of a country such as GB: {code!r}")
    return code


MonthDay = Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$"), AfterValidator(_real)]
Market = Annotated[str, AfterValidator(_known)]


class SeasonRiseSetting(BaseModel):
    """Days of every year on which more, or less, sells: `[[training.season_rises]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=60)
    first: MonthDay
    """The first day, as month and day, such as 11-26."""
    last: MonthDay
    """The last day, which counts; before `first`, the days span new year."""
    rise: float = Field(ge=LEAST_RISE, le=MOST_RISE)
    """How much more sells on such a day: 0.4 is 40 % more than on an ordinary one."""
    markets: tuple[Market, ...] = ()
    """Country codes; none is everywhere."""

    def as_rise(self) -> SeasonRise:
        """Return the form that bundles hold."""
        return SeasonRise(**self.model_dump())


CHRISTMAS_MARKETS: Final = (
    *("AT", "AU", "BE", "BR", "CA", "CH", "CZ", "DE", "DK", "ES", "FI", "FR"),
    *("GB", "IE", "IT", "MX", "NL", "NO", "NZ", "PL", "PT", "SE", "US"),
)

BEFORE_CHRISTMAS: Final = SeasonRiseSetting(
    name="before Christmas",
    first="11-26",
    last="12-23",
    rise=0.4,
    markets=CHRISTMAS_MARKETS,
)
"""United States, sales of retailers without stores in December 2020: 114 billion dollars, 81
billion without the season, 1.41 times (Census Bureau, Monthly Retail Trade, as the press reported
it; a record). All online sales of that quarter were 245.3 billion, 206.7 without the season. That
the four weeks before Christmas are like such a December, and other markets like this one, is
assumed. It helps where about such a season comes and harms where none does: on the medium
simulated market of one year, whose own rises are 1.35 to 1.49, any from 0.2 to 0.5 keeps the
calibration error of sell-through below 0.02, and without such a season it rises from 0.015 to 0.061
(docs/benchmarks.md)."""
