"""Effects of the mechanisms in the data: there when switched on, gone when switched off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.simulator.configuration.categories import CATEGORIES, CONSUMABLE
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.plan import build_world, draw_chunk, make_plan
from experiments.simulator.mechanisms.videos import impact
from tests.worlds.simulated import SMALL, change_sizes, make_market, repurchase, sold_lines

NO_CREATORS = change_sizes(SMALL, "creators", strength=0)
NO_REPURCHASE = change_sizes(SMALL, "repurchase", strength=0)
NO_LOCALISATION = change_sizes(SMALL, "localisation", strength=0)
CONSUMABLES = [one.name for one in CATEGORIES if one.repurchase > CONSUMABLE]
SIZED = [one.name for one in CATEGORIES if one.is_sized]
ELECTRIC = [one.name for one in CATEGORIES if one.is_electric]


def rise_after_video(market: Simulation) -> float:
    """Return units in the ten days after videos of grown listings over those in the ten before."""
    tables = make_market(market)[0]
    videos = tables["videos"][["listing_id", "event_time"]].merge(tables["listings"])
    is_grown = videos.event_time > videos.listed_at + pd.Timedelta(days=30)
    videos = videos.loc[is_grown, ["listing_id", "event_time"]]
    pairs = videos.merge(tables["orders"], on="listing_id", suffixes=("_video", ""))
    days = (pairs.event_time - pairs.event_time_video) / pd.Timedelta(days=1)
    after = pairs.units[(days > 0) & (days <= 10)].sum()
    return float(after / pairs.units[(days <= 0) & (days > -10)].sum())


def returned_over(market: Simulation, attribute: str, categories: list[str]) -> float:
    """Return the return rate of listings without an attribute over that of those with it."""
    tables = make_market(market)[0]
    settings = tables["localisation"]
    settings = settings[settings.attribute == attribute]
    settings = settings.drop_duplicates("listing_id", keep=False)[["listing_id", "value"]]
    lines = sold_lines(tables).merge(settings, on="listing_id")
    lines = lines[lines.category.isin(categories)]
    sums = lines.groupby("value")[["returned", "units"]].sum()
    rate = sums.returned / sums.units
    return float(rate[0.0] / rate[1.0])


def test_creators_raise_demand_only_when_switched_on() -> None:
    on, off = rise_after_video(SMALL), rise_after_video(NO_CREATORS)
    assert on > 1.07 * off
    assert off == pytest.approx(1, abs=0.06)


def test_creators_lead_to_orders_only_when_switched_on() -> None:
    assert make_market(SMALL)[0]["orders"].creator_id.notna().mean() > 0.05
    assert make_market(NO_CREATORS)[0]["orders"].creator_id.isna().all()


def test_creators_switched_off_still_film_the_same_videos() -> None:
    with_effect, without = (make_market(market)[0]["videos"] for market in (SMALL, NO_CREATORS))
    pd.testing.assert_frame_equal(with_effect, without)


def test_small_creators_convert_better_and_big_ones_reach_more() -> None:
    tables = make_market(SMALL)[0]
    views = tables["video_stats"].groupby("video_id").views.max().rename("views").reset_index()
    seen = tables["videos"].merge(views, on="video_id").groupby("creator_id").views.sum()
    led = tables["orders"].groupby("creator_id").size().reindex(seen.index).fillna(0)
    followers = tables["creator_stats"].groupby("creator_id").followers.max()
    is_big = followers.loc[seen.index] > followers.median()
    orders_a_view = led.groupby(is_big).sum() / seen.groupby(is_big).sum()
    assert orders_a_view[False] > 5 * orders_a_view[True]
    assert led[is_big].mean() > 1.15 * led[~is_big].mean()


def test_reach_and_persuasion_interact_negatively() -> None:
    world = build_world(SMALL)
    everyone = np.arange(world.creators.reach.size)
    log_impact = np.log(impact(SMALL, world.creators, everyone))
    reach, persuasion = world.creators.reach, world.creators.persuasion
    columns = np.stack([np.ones_like(reach), reach, persuasion, reach * persuasion], axis=1)
    _, by_reach, by_persuasion, together = np.linalg.lstsq(columns, log_impact)[0]
    assert by_reach > 0
    assert by_persuasion > 0
    assert together == pytest.approx(-SMALL.creators.interaction)


def test_number_of_creators_works_as_an_inverted_u() -> None:
    best = SMALL.creators.best_number
    number = np.arange(1, 20)
    worth = number * np.exp(-(number - 1) / best)
    assert number[worth.argmax()] == best
    crowded = change_sizes(SMALL, "creators", videos_a_listing=200)
    usual = change_sizes(SMALL, "creators", videos_a_listing=12)
    lifts = [_mean_creator_share(market) for market in (SMALL, usual, crowded)]
    assert lifts[0] < lifts[1] > lifts[2]


def _mean_creator_share(market: Simulation) -> float:
    world = build_world(market)
    chunk = draw_chunk(world, 0)
    plan = make_plan(world, chunk, np.flatnonzero(chunk.candidates.is_listed))
    return float(np.average(plan.creator_share, weights=plan.units))


def test_bought_engagement_shows_in_likes_and_not_in_comments() -> None:
    tables = make_market(SMALL)[0]
    stats = tables["video_stats"].groupby("video_id")[["views", "comments"]].max()
    some = stats[stats.comments > 30]
    talked = some.comments / some.views
    is_bought = talked < talked.median() / 3
    assert is_bought.mean() == pytest.approx(SMALL.creators.fraud_share, abs=0.015)


def test_repurchase_happens_only_when_switched_on() -> None:
    on = repurchase(sold_lines(make_market(SMALL)[0]))
    off = repurchase(sold_lines(make_market(NO_REPURCHASE)[0]))
    assert on[CONSUMABLES].min() > 0.15
    assert on.drop(CONSUMABLES).max() < 0.15
    assert off.max() < 0.01


def test_repurchase_follows_quality() -> None:
    tables, truth = make_market(SMALL)
    lines = sold_lines(tables).merge(truth["candidates"], on="listing_id", suffixes=("", "_true"))
    lines = lines[lines.category.isin(CONSUMABLES)]
    good, bad = (repurchase(lines[which]) for which in (lines.quality > 0, lines.quality <= 0))
    assert good.mean() > 1.25 * bad.mean()


@pytest.mark.parametrize(
    ("attribute", "categories", "least"),
    [("size_chart", SIZED, 1.5), ("plug_voltage", ELECTRIC, 2.5)],
)
def test_localisation_gaps_return_goods_only_when_switched_on(
    attribute: str, categories: list[str], least: float
) -> None:
    assert returned_over(SMALL, attribute, categories) > least
    assert returned_over(NO_LOCALISATION, attribute, categories) == pytest.approx(1, abs=0.3)


def test_missing_certificates_end_in_takedowns_only_when_localisation_is_on() -> None:
    on, off = (
        make_market(market)[0]["policy_events"].query("severity == 3")
        for market in (SMALL, NO_LOCALISATION)
    )
    assert len(on) > 1.5 * len(off)
    assert (on.kind == "safety").mean() > 1.3 * (off.kind == "safety").mean()


def test_late_parcels_cost_stars_and_bring_goods_back() -> None:
    tables = make_market(SMALL)[0]
    lines = sold_lines(tables)
    rate = lines.groupby("is_late").returned.sum() / lines.groupby("is_late").units.sum()
    assert rate[True] / rate[False] == pytest.approx(1.3, abs=0.15)
    lift = SMALL.logistics.model_copy(update={"late_low_star_lift": 2.0})
    stars = make_market(SMALL.model_copy(update={"logistics": lift}))[0]["reviews"]
    rated = stars.merge(lines[["order_line_id", "is_late"]], on="order_line_id")
    low = (rated.rating <= 2).groupby(rated.is_late).mean()
    assert low[True] / low[False] == pytest.approx(1.9, abs=0.3)


def test_dearer_listings_sell_less() -> None:
    tables, truth = make_market(SMALL)
    units = tables["orders"].groupby("listing_id").units.sum()
    listed = truth["candidates"].query("is_listed").set_index("listing_id")
    listed["dollars"] = listed.price_minor / listed.market.map({"US": 1, "GB": 0.79, "DE": 0.92})
    usual = listed.groupby("category").dollars.transform("median")
    sold = units.reindex(listed.index).fillna(0)
    cheap, dear = sold[listed.dollars < usual].mean(), sold[listed.dollars > usual].mean()
    assert cheap > 1.3 * dear


def test_platform_lists_what_it_likes_and_the_propensity_is_what_it_did() -> None:
    candidates = make_market(SMALL)[1]["candidates"]
    proposed = candidates[candidates.propensity > 0]
    tenth = pd.qcut(proposed.propensity, 10, labels=False)
    found = proposed.groupby(tenth).is_listed.mean()
    said = proposed.groupby(tenth).propensity.mean()
    error = np.sqrt(said * (1 - said) / tenth.value_counts())
    assert ((found - said).abs() / error).max() < 4
    listed, passed = (proposed[proposed.is_listed == one] for one in (True, False))
    assert listed.quality.mean() > passed.quality.mean() + 0.1
    assert listed.appeal.mean() > passed.appeal.mean() + 0.1
    assert not candidates[candidates.propensity == 0].is_listed.any()


def test_audits_show_quality_with_noise() -> None:
    tables, truth = make_market(SMALL)
    seen = tables["supplier_audits"].groupby("supplier_id").score.mean()
    products = tables["products"].merge(tables["listings"], on="product_id")
    known = products.merge(truth["candidates"][["listing_id", "quality"]], on="listing_id")
    quality = known.groupby("supplier_id").quality.mean()
    both = pd.concat([seen, quality], axis=1).dropna()
    assert 0.5 < both.corr().iloc[0, 1] < 0.95


def test_reviews_are_written_by_those_with_something_to_say() -> None:
    tables = make_market(SMALL)[0]
    share = tables["reviews"].rating.value_counts(normalize=True)
    assert share[5] > share[4] > share[3]
    assert share[1] > 1.5 * share[2]
