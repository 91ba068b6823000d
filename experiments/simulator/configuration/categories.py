"""The categories of the market and their parameters."""

from __future__ import annotations

from typing import Final

from experiments.simulator.configuration.section import Section


class Category(Section):
    """A leaf category and its parameters.

    `volume` is demand against the mean category (log). `price` is the reference price in US
    dollars. `return_rate` holds for a listing of mean quality with everything localised.
    `repurchase` is the expected number of further purchases of the same product after one.
    `season` is the amplitude of the yearly wave (log), and `peak_day` the day of the year of its
    maximum.
    """

    name: str
    parent: str
    volume: float = 0.0
    price: float
    elasticity: float
    return_rate: float
    repurchase: float
    season: float = 0.1
    peak_day: int = 330
    creator_affinity: float = 1.0
    is_sized: bool = False
    is_electric: bool = False
    certificates: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pairs of a certificate and the market groups that demand it (`US`, `GB`, `EU`)."""


_CE: Final = (("certificate:CE", ("EU",)), ("certificate:UKCA", ("GB",)))
_TOY: Final = (("certificate:CPC", ("US",)), *_CE)
_FOOD: Final = (("certificate:FDA", ("US",)),)
_REACH: Final = (("certificate:REACH", ("EU",)),)


def _category(name: str, parent: str, *sizes: float, **others: object) -> Category:
    """Return a category; `sizes` are volume, price, elasticity, return rate and repurchase."""
    names = ("volume", "price", "elasticity", "return_rate", "repurchase")
    return Category.model_validate(
        {"name": name, "parent": parent, **dict(zip(names, sizes, strict=True)), **others}
    )


CATEGORIES: Final = (
    _category(
        "dresses",
        "apparel",
        0.3,
        24,
        2.0,
        0.160,
        0.03,
        season=0.5,
        peak_day=160,
        is_sized=True,
        creator_affinity=1.5,
    ),
    _category(
        "jackets", "apparel", -0.1, 38, 1.8, 0.150, 0.02, season=0.7, peak_day=310, is_sized=True
    ),
    _category(
        "shoes", "apparel", 0.1, 32, 1.7, 0.150, 0.03, season=0.3, peak_day=100, is_sized=True
    ),
    _category(
        "jewellery",
        "apparel",
        0.2,
        12,
        1.5,
        0.050,
        0.05,
        season=0.3,
        creator_affinity=1.3,
        certificates=_REACH,
    ),
    _category(
        "skin_care", "beauty", 0.4, 15, 1.4, 0.035, 0.475, creator_affinity=1.9, certificates=_REACH
    ),
    _category(
        "make_up",
        "beauty",
        0.4,
        11,
        1.5,
        0.040,
        0.41,
        season=0.2,
        creator_affinity=2.0,
        certificates=_REACH,
    ),
    _category(
        "kitchen_appliances",
        "electronics",
        -0.2,
        42,
        1.6,
        0.060,
        0.02,
        season=0.3,
        is_electric=True,
        certificates=(*_CE, *_FOOD),
    ),
    _category(
        "hair_tools",
        "electronics",
        0.1,
        30,
        1.7,
        0.065,
        0.02,
        is_electric=True,
        certificates=_CE,
        creator_affinity=1.4,
    ),
    _category("phone_cases", "electronics", 0.5, 9, 2.2, 0.045, 0.08, creator_affinity=0.8),
    _category(
        "lamps",
        "home",
        -0.1,
        26,
        1.8,
        0.055,
        0.02,
        season=0.3,
        peak_day=340,
        is_electric=True,
        certificates=_CE,
    ),
    _category(
        "storage", "home", 0.2, 16, 2.0, 0.040, 0.06, season=0.2, peak_day=20, creator_affinity=0.7
    ),
    _category(
        "tableware", "home", 0.0, 18, 1.8, 0.050, 0.05, certificates=_FOOD, creator_affinity=0.7
    ),
    _category(
        "pet_treats",
        "pets",
        0.3,
        13,
        1.3,
        0.025,
        0.52,
        season=0.05,
        certificates=_FOOD,
        creator_affinity=1.1,
    ),
    _category("pet_toys", "pets", 0.0, 11, 1.6, 0.040, 0.15, creator_affinity=1.2),
    _category(
        "plush_toys",
        "toys",
        0.1,
        17,
        1.6,
        0.040,
        0.04,
        season=0.6,
        peak_day=340,
        certificates=_TOY,
        creator_affinity=1.2,
    ),
    _category(
        "building_sets",
        "toys",
        -0.1,
        29,
        1.7,
        0.045,
        0.05,
        season=0.7,
        peak_day=340,
        certificates=_TOY,
    ),
)
"""The sizes are assumed: apparel returns most, and consumables are bought again most
(docs/market.md lists the facts that they aim at). Bad fit, low quality and lateness add to the
return rates."""
CONSUMABLE: Final = 0.2
"""Categories with a higher repurchase than this count as consumables."""
