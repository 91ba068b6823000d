"""Draw the market's mechanisms from the generator's own functions and the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from experiments.simulator.mechanisms import demand
from experiments.simulator.mechanisms.plan import World, draw_chunk, make_plan
from experiments.simulator.mechanisms.videos import growth
from experiments.simulator.pictures.picture_data import PictureData
from experiments.simulator.truth.reader import Change, Truth

INK: Final = ("#1b6ca8", "#d1495b", "#edae49", "#333333", "#66a182", "#7d5ba6")


def _demand(pictured: PictureData, figure: Figure) -> None:
    """Draw season by category, the age of a listing, and the response to the price."""
    left, middle, right = figure.subplots(1, 3)
    market, clock = pictured.market, pictured.world.clock
    names = ("dresses", "jackets", "plush_toys", "storage", "pet_treats")
    categories = [leaf for leaf in market.categories if leaf.name in names]
    day = np.arange(1, 366)
    for colour, leaf in zip(INK, categories, strict=False):
        wave = np.exp(leaf.season * np.cos(2 * np.pi * (day - leaf.peak_day) / 365.25))
        left.plot(day, wave, color=colour, label=leaf.name.replace("_", " "))
        ratio = np.linspace(0.6, 1.6, 50)
        right.plot(ratio, ratio**-leaf.elasticity, color=colour)
    left.set(title="Season", xlabel="day of the year", ylabel="times the usual demand")
    left.legend(fontsize=7, loc="upper center", ncols=2)
    left.set_ylim(0.3, 2.9)
    curve = demand.age_curve(market, clock, np.array([0]))[0]
    middle.plot(np.arange(curve.size), curve, color=INK[0])
    middle.set(title="Age of a listing", xlabel="days on sale", ylim=(0, 1))
    right.set(title="Price, colours as in Season", xlabel="price over comparable listings")


def _creators(pictured: PictureData, figure: Figure) -> None:
    """Draw the growth of counters, the effect of a video, and the inverted U."""
    left, middle, right = figure.subplots(1, 3)
    sizes = pictured.market.creators
    age = np.linspace(0, 84, 200)
    left.plot(age, growth(age, sizes.fade_days), color=INK[0], label="views so far")
    left.plot(age, np.exp(-age / sizes.fade_days), color=INK[1], label="effect on demand")
    left.set(title="Growth of a video", xlabel="days since the video", ylabel="share of the whole")
    left.legend(fontsize=8, loc="center right")
    reach = np.linspace(-2, 3, 60)
    followers = sizes.followers_median * np.exp(sizes.followers_sd * reach)
    for colour, persuasion, name in zip(INK, (1, 0, -1), ("high", "mean", "low"), strict=False):
        log_impact = sizes.reach_slope * reach + sizes.persuasion_slope * persuasion
        added = sizes.impact * np.exp(log_impact - sizes.interaction * reach * persuasion - 0.3)
        middle.plot(followers, 100 * added, color=colour, label=f"{name} persuasion")
    middle.set(title="First effect of a video", xlabel="followers", ylabel="% of demand")
    middle.set_xscale("log")
    middle.legend(fontsize=8)
    number = np.arange(1, 21)
    worth = sizes.impact * number * np.exp(-(number - 1) / sizes.best_number)
    right.plot(number, 100 * worth, color=INK[0], marker="o", markersize=3)
    right.set(
        title="Effect of several videos together",
        xlabel="videos of the last weeks",
        ylabel="% of demand",
    )


def _returns(pictured: PictureData, figure: Figure) -> None:
    """Draw delays of returns and deliveries, and return rates by gap of localisation."""
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    rows = pictured.query("""
        SELECT date_diff('second', d.event_time, r.event_time) / 86400 AS days
        FROM '{data}/returns/*.parquet' r JOIN '{data}/deliveries/*.parquet' d USING (order_line_id)
    """)
    left.hist(rows["days"], bins=np.arange(0, 41), color=INK[0], density=True)
    left.set(title="From delivery to return", xlabel="days", ylabel="share of returns a day")
    rates = pictured.query("""
        WITH s AS (SELECT listing_id, attribute, arg_min(value, event_time) AS met
            FROM '{data}/localisation/*.parquet'
            WHERE attribute IN ('size_chart', 'plug_voltage') GROUP BY ALL HAVING count(*) = 1),
        r AS (SELECT order_line_id, sum(units) AS back FROM '{data}/returns/*.parquet' GROUP BY ALL)
        SELECT category,
            sum(coalesce(back, 0)) FILTER (WHERE met = 1) / sum(units) FILTER (WHERE met = 1)
                AS met,
            sum(coalesce(back, 0)) FILTER (WHERE met = 0) / sum(units) FILTER (WHERE met = 0)
                AS missing
        FROM '{data}/orders/*.parquet' JOIN '{data}/listings/*.parquet' USING (listing_id)
        JOIN '{data}/products/*.parquet' USING (product_id) JOIN s USING (listing_id)
        LEFT JOIN r USING (order_line_id) GROUP BY category ORDER BY missing
    """)
    position = np.arange(len(rates["category"]))
    names = [str(name).replace("_", " ") for name in rates["category"]]
    right.barh(
        position + 0.2,
        100 * rates["missing"],
        0.38,
        color=INK[1],
        label="size chart or plug missing",
    )
    right.barh(position - 0.2, 100 * rates["met"], 0.38, color=INK[0], label="there")
    right.set(title="Units returned", xlabel="%", yticks=position, yticklabels=names)
    right.set_xlim(0, 1.5 * 100 * float(np.nanmax(rates["missing"])))
    right.legend(fontsize=8, loc="lower right")


def _repurchase(pictured: PictureData, figure: Figure) -> None:
    """Draw the share of buyers who came back, by days since their first purchase."""
    axes = figure.subplots()
    rows = pictured.query("""
        WITH o AS (SELECT listing_id, buyer_key, event_time FROM '{data}/orders/*.parquet'),
        f AS (SELECT listing_id, buyer_key, min(event_time) AS first FROM o GROUP BY ALL
            HAVING first < (SELECT max(event_time) FROM o) - INTERVAL 120 DAY),
        a AS (SELECT f.listing_id, f.buyer_key, any_value(first) AS first,
            min(o.event_time) FILTER (WHERE o.event_time > first) AS again
            FROM f JOIN o USING (listing_id, buyer_key) GROUP BY ALL)
        SELECT category, date_diff('second', first, again) / 86400 AS days
        FROM a JOIN '{data}/listings/*.parquet' USING (listing_id)
        JOIN '{data}/products/*.parquet' USING (product_id)
    """)
    category = np.asarray(rows["category"], dtype=str)
    days = np.nan_to_num(rows["days"], nan=np.inf)
    grid = np.arange(0, 121)
    shown = ("pet_treats", "skin_care", "make_up", "pet_toys", "phone_cases", "lamps")
    for colour, name in zip(INK, shown, strict=True):
        own = np.sort(days[category == name])
        share = 100 * np.searchsorted(own, grid, side="right") / max(own.size, 1)
        axes.plot(grid, share, color=colour, label=name.replace("_", " "))
    axes.axvline(90, color="#999999", linewidth=0.8, linestyle=":")
    axes.set(title="First-time buyers who have bought the same again", xlabel="days", ylabel="%")
    axes.set_ylim(0)
    axes.legend(fontsize=8, loc="upper left")


def _selection(pictured: PictureData, figure: Figure) -> None:
    """Draw the propensities of listed and other candidates, and the calibration of the truth."""
    left, right = figure.subplots(1, 2)
    rows = pictured.query(
        "SELECT propensity, is_listed FROM '{truth}/candidates/*.parquet' WHERE propensity > 0"
    )
    bins = np.linspace(0, 1, 31)
    is_listed = np.asarray(rows["is_listed"], dtype=bool)
    for colour, which, name in ((INK[0], is_listed, "listed"), (INK[1], ~is_listed, "passed over")):
        left.hist(rows["propensity"][which], bins=bins, color=colour, alpha=0.65, label=name)
    left.set(title="The platform's propensity to list", xlabel="propensity", ylabel="candidates")
    left.legend(fontsize=8)
    parts = pictured.query("""
        SELECT avg(e) AS expected, avg(r) AS realised FROM (
            SELECT expected_sell_through AS e, realised_sell_through AS r,
                ntile(20) OVER (ORDER BY expected_sell_through) AS part
            FROM '{truth}/moments/*.parquet' WHERE realised_sell_through IS NOT NULL)
        GROUP BY part ORDER BY part
    """)
    right.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
    right.plot(
        parts["expected"],
        parts["realised"],
        color=INK[0],
        marker="o",
        linestyle="none",
        markersize=4,
    )
    right.set(
        title="Expected and realised sell-through",
        xlabel="expected sell-through",
        ylabel="mean realised",
    )
    right.set_aspect("equal")


def _stock(pictured: PictureData, figure: Figure) -> None:
    """Draw realised sell-through, and a candidate's expected sell-through by lot and price."""
    left, middle, right = figure.subplots(1, 3)
    realised = pictured.query("""
        SELECT realised_sell_through AS r FROM '{truth}/moments/*.parquet'
        WHERE realised_sell_through IS NOT NULL
    """)["r"]
    left.hist(realised, bins=np.linspace(0, 1, 21), color=INK[0], density=True)
    left.set(title="Sell-through in 28 days", xlabel="share of the lot", ylabel="density")
    listing, price = _typical_listing(pictured.world, pictured.truth)
    lots = np.unique(np.geomspace(2, 150, 25).astype(int))
    shares = [pictured.truth.evaluate(listing, units_offered=int(lot)).sell_through for lot in lots]
    middle.plot(lots, shares, color=INK[0])
    middle.set(title=f"{listing}, by lot", xlabel="units offered", ylabel="expected", ylim=(0, 1))
    middle.set_xscale("log")
    ratios = np.linspace(0.7, 1.5, 15)
    for colour, lot in zip(INK, (10, 20, 40), strict=False):
        changes = [Change(price_minor=round(price * ratio)) for ratio in ratios]
        shares = [
            pictured.truth.evaluate(listing, units_offered=lot, change=change).sell_through
            for change in changes
        ]
        right.plot(ratios, shares, color=colour, label=f"{lot} units")
    right.set(title="and by price", xlabel="times its price", ylim=(0, 1))
    right.legend(fontsize=8)


def _typical_listing(world: World, truth: Truth) -> tuple[str, int]:
    """Return the first chunk's listing of median demand, and its price."""
    chunk = draw_chunk(world, 0)
    plan = make_plan(world, chunk, np.flatnonzero(chunk.candidates.is_listed))
    row = int(plan.rows[np.argsort(plan.units.sum(axis=1))[plan.rows.size // 2]])
    candidate = truth.candidates().slice(row, 1)
    return candidate["listing_id"][0].as_py(), candidate["price_minor"][0].as_py()


PICTURES: Final[dict[str, Callable[[PictureData, Figure], None]]] = {
    "demand": _demand,
    "creators": _creators,
    "returns": _returns,
    "repurchase": _repurchase,
    "selection": _selection,
    "sell_through": _stock,
}
