"""Boundaries of signals of creators, localisation, logistics, quality, to the microsecond."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from tests.worlds.written import AS_OF, BOUGHT, TICK, Rows, event, market, order, value

DAYS = pd.Timedelta(days=1)
NULL = math.nan


def is_same(actual: float, expected: float) -> bool:
    return actual == expected or (math.isnan(actual) and math.isnan(expected))


@pytest.mark.parametrize(
    ("promised", "taken", "late", "days"),
    [
        (2.0, 2 * DAYS, 0.0, 2.0),
        (2.0, 2 * DAYS + TICK, 1.0, 3.0),
        (2.25, pd.Timedelta("54h"), 0.0, 3.0),
        (2.25, pd.Timedelta("54h") + TICK, 1.0, 3.0),
        (0.0, 0 * DAYS, 0.0, 0.0),
        (0.0, TICK, 1.0, 1.0),
        (None, 40 * DAYS, 0.0, 40.0),
    ],
)
def test_parcel_is_late_once_it_took_longer_than_promised(
    promised: float | None, taken: pd.Timedelta, late: float, days: float
) -> None:
    frames = market(
        orders=[order(BOUGHT, order_line_id="L", promised_days=promised)],
        deliveries=[event(BOUGHT + taken, order_line_id="L")],
    )
    assert value(frames, "late_parcels_84d") == late
    assert value(frames, "delivery_days_84d") == days
    assert value(frames, "promised_parcels_84d") == float(promised is not None)
    assert value(frames, "parcels_84d") == 1.0


@pytest.mark.parametrize(
    ("line_known", "delivery_known", "parcels"),
    [(AS_OF, AS_OF, 1.0), (AS_OF + TICK, AS_OF, 0.0), (AS_OF, AS_OF + TICK, 0.0)],
)
def test_parcel_counts_once_line_and_delivery_are_known(
    line_known: pd.Timestamp, delivery_known: pd.Timestamp, parcels: float
) -> None:
    frames = market(
        orders=[order(BOUGHT, known=line_known, order_line_id="L")],
        deliveries=[event(BOUGHT + DAYS, known=delivery_known, order_line_id="L")],
    )
    assert value(frames, "parcels_84d") == parcels


def demand(attribute: str, begins: pd.Timestamp, **other: object) -> dict[str, object]:
    """Return a requirement of the listing's category and market, known long ago."""
    known = event(BOUGHT - 90 * DAYS)
    where = {"market": "US", "category": "c0", "valid_to": pd.NaT}
    return {**known, **where, "attribute": attribute, "valid_from": begins, **other}


@pytest.mark.parametrize(
    ("times", "count"),
    [
        ({"begins": AS_OF}, 1.0),
        ({"begins": AS_OF + TICK}, 0.0),
        ({"begins": BOUGHT, "valid_to": AS_OF}, 0.0),
        ({"begins": BOUGHT, "valid_to": AS_OF + TICK}, 1.0),
        ({"begins": BOUGHT, "available_at": AS_OF}, 1.0),
        ({"begins": BOUGHT, "available_at": AS_OF + TICK}, 0.0),
        ({"begins": BOUGHT, "available_at": pd.NaT}, 0.0),
        ({"begins": BOUGHT, "category": "c1"}, 0.0),
        ({"begins": BOUGHT, "market": "GB"}, 0.0),
    ],
)
def test_requirement_is_in_force_from_its_beginning_to_its_end_once_known(
    times: dict[str, pd.Timestamp], count: float
) -> None:
    begins = times["begins"]
    other = {name: time for name, time in times.items() if name != "begins"}
    frames = market(requirements=[demand("language", begins, **other)])
    assert value(frames, "requirements_category_market") == count
    assert value(frames, "is_language_required_category_market") == count


def test_attribute_required_twice_counts_once_and_by_its_whole_name() -> None:
    names = ["language", "language_pack", "certificate:FDA", "certificate"]
    frames = market(
        requirements=[
            demand("language", BOUGHT + TICK),
            *(demand(name, BOUGHT) for name in names),
        ]
    )
    assert value(frames, "requirements_category_market") == 4.0
    assert value(frames, "is_language_required_category_market") == 1.0
    assert value(frames, "is_size_chart_required_category_market") == 0.0
    assert value(frames, "certificates_required_category_market") == 1.0


def setting(value: float, at: pd.Timestamp, **other: object) -> dict[str, object]:
    return {**event(at), "listing_id": "US-P0", "attribute": "language", "value": value, **other}


@pytest.mark.parametrize(
    ("settings", "met"),
    [
        ([setting(1.0, AS_OF)], 1.0),
        ([setting(1.0, AS_OF + TICK)], 0.0),
        ([setting(1.0, BOUGHT, available_at=AS_OF + TICK)], 0.0),
        ([setting(0.999, BOUGHT)], 0.0),
        ([setting(1.0, BOUGHT), setting(0.5, BOUGHT + TICK)], 0.0),
        ([setting(0.5, BOUGHT), setting(1.0, BOUGHT + TICK)], 1.0),
        ([setting(1.0, BOUGHT), setting(0.5, AS_OF, available_at=AS_OF + TICK)], 1.0),
        ([setting(1.0, BOUGHT), setting(0.0, AS_OF, attribute="imagery")], 1.0),
        ([setting(1.0, BOUGHT, listing_id="GB-P0")], 0.0),
        ([], 0.0),
    ],
)
def test_requirement_is_met_where_the_value_set_last_is_full(settings: Rows, met: float) -> None:
    frames = market(requirements=[demand("language", BOUGHT)], localisation=settings)
    assert value(frames, "requirements_met") == met
    assert value(frames, "requirements_category_market") == 1.0


def video(at: pd.Timestamp = BOUGHT, **other: object) -> dict[str, object]:
    """Return a sponsored review by C0 of the listing."""
    made = {"video_id": "V", "listing_id": "US-P0", "creator_id": "C0", "kind": "review"}
    return {**event(at), **made, "is_sponsored": True, **other}


def counters(at: pd.Timestamp, views: int, **other: object) -> dict[str, object]:
    """Return an observation of a video on which every view clicks."""
    zero = dict.fromkeys(("likes", "comments", "shares", "saves"), 0)
    return {**event(at), "video_id": "V", "views": views, "clicks": views, **zero, **other}


@pytest.mark.parametrize(
    ("seen", "views"),
    [
        ([counters(AS_OF, 70)], 70.0),
        ([counters(AS_OF + TICK, 70)], 0.0),
        ([counters(BOUGHT, 70), counters(BOUGHT + DAYS, 90)], 90.0),
        ([counters(BOUGHT, 70), counters(BOUGHT + DAYS, 50)], 70.0),
        ([counters(BOUGHT, 70), counters(BOUGHT + DAYS, 50), counters(AS_OF, 80)], 80.0),
        ([counters(BOUGHT, 70), counters(AS_OF, 90, available_at=AS_OF + TICK)], 70.0),
        ([counters(BOUGHT, 90, available_at=AS_OF), counters(BOUGHT + TICK, 70)], 90.0),
        ([counters(BOUGHT, 90, available_at=pd.NaT), counters(BOUGHT + TICK, 70)], 70.0),
    ],
)
def test_known_views_add_up_to_the_highest_known_counter(seen: Rows, views: float) -> None:
    frames = market(videos=[video()], video_stats=seen)
    assert value(frames, "clicks_84d") == views


def test_views_fall_into_the_window_of_the_observation_that_added_them() -> None:
    early, late = AS_OF - 28 * DAYS, AS_OF - 28 * DAYS + TICK
    frames = market(videos=[video()], video_stats=[counters(early, 70), counters(late, 100)])
    assert value(frames, "views_28d") == 30.0
    # The lower counter was known first: the growth of the higher one counts at its own time.
    late_known = counters(early, 100, available_at=AS_OF)
    frames = market(videos=[video()], video_stats=[late_known, counters(late, 70)])
    assert value(frames, "views_28d") == 70.0


@pytest.mark.parametrize(("known", "views"), [(AS_OF, 70.0), (AS_OF + TICK, 0.0)])
def test_views_of_a_video_count_once_the_video_is_known(known: pd.Timestamp, views: float) -> None:
    made = video(available_at=known)
    frames = market(videos=[made], video_stats=[counters(BOUGHT + DAYS, 70)])
    assert value(frames, "clicks_84d") == views


@pytest.mark.parametrize(
    ("tone", "known", "thousandths"),
    [(0.0005, 1.0, 1.0), (-0.0005, 1.0, -1.0), (-1.0, 1.0, -1000.0), (None, 0.0, 0.0)],
)
def test_tone_is_summed_in_thousandths(
    tone: float | None, known: float, thousandths: float
) -> None:
    frames = market(videos=[video(sentiment=tone)])
    assert value(frames, "sentiment_known_84d") == known
    assert value(frames, "sentiment_thousandths_84d") == thousandths


@pytest.mark.parametrize(
    ("defective", "inspected", "counted"), [(3, 10, 3.0), (12, 10, 10.0), (4, 0, 0.0)]
)
def test_defects_count_no_more_than_the_units_inspected(
    defective: int, inspected: int, counted: float
) -> None:
    audit = event(BOUGHT, supplier_id="S0", score=0.5, lead_time_days=7.5)
    audit |= {"inspected_units": inspected, "defective_units": defective}
    frames = market(supplier_audits=[audit])
    assert value(frames, "defective_units_supplier_365d") == counted
    assert value(frames, "inspected_units_supplier_365d") == float(inspected)


@pytest.mark.parametrize(("stars", "low"), [(1, 1.0), (2, 1.0), (3, 0.0), (5, 0.0)])
def test_reviews_of_up_to_two_stars_are_low(stars: int, low: float) -> None:
    review = event(BOUGHT, review_id="R", listing_id="US-P0", rating=stars, has_media=False)
    assert value(market(reviews=[review]), "low_star_reviews_product_180d") == low


@pytest.mark.parametrize(
    ("line_known", "return_known", "units"),
    [(AS_OF, AS_OF, 2.0), (AS_OF + TICK, AS_OF, 0.0), (AS_OF, AS_OF + TICK, 0.0)],
)
def test_parcel_came_back_once_line_and_return_are_known(
    line_known: pd.Timestamp, return_known: pd.Timestamp, units: float
) -> None:
    back = event(AS_OF - DAYS, known=return_known, order_line_id="L", units=2)
    line = order(AS_OF - 4 * DAYS, known=line_known, order_line_id="L", units=3)
    assert value(market(orders=[line], returns=[back]), "units_back_28d") == units


@pytest.mark.parametrize(
    ("currency", "cost", "expected"),
    [("USD", 90, 90.0), ("USD", None, NULL), ("CNY", 90, NULL), (None, 90, NULL)],
)
def test_cost_counts_in_the_markets_currency_alone(
    currency: str | None, cost: int | None, expected: float
) -> None:
    frames = market()
    frames["products"]["currency"] = currency
    frames["products"]["unit_cost_minor"] = pd.array([cost] * 3, dtype="Int64")
    assert is_same(value(frames, "unit_cost_minor"), expected)


@pytest.mark.parametrize(
    ("mode", "full", "own"),
    [("full_managed", 1.0, 0.0), ("self_run", 0.0, 1.0), ("semi_managed", 0.0, 0.0)],
)
def test_mode_of_a_listing_sets_who_runs_it(mode: str, full: float, own: float) -> None:
    frames = market()
    frames["listings"]["mode"] = mode
    assert value(frames, "is_full_managed") == full
    assert value(frames, "is_self_run") == own


def test_listing_of_unknown_mode_has_null() -> None:
    assert math.isnan(value(market(), "is_full_managed"))
