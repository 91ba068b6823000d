"""The parameters of all mechanisms, each with a sentence on its source."""

from __future__ import annotations

from pydantic import Field

from experiments.simulator.configuration.section import Section


def size(default: float, source: str, *, low: float = 0.0, high: float = 1e6) -> float:
    """Declare a parameter with its limits and the source of its value."""
    return Field(default=default, ge=low, le=high, description=source)


class SupplierSizes(Section):
    """Suppliers differ in quality, lead time and reliability; audits show quality with noise."""

    products_each: float = size(8, "Assumed: small factories with a handful of articles.", low=1)
    fast_share: float = size(0.45, "Assumed: near half of the sellers use the fast chain.", high=1)
    fast_lead_days: float = size(15, "The 15-day chain that fast cross-border sellers work with.")
    slow_lead_days: float = size(30, "The 30-day chain of ordinary suppliers.")
    delay_days: float = size(4, "Assumed mean delay of the mean supplier; exponential.")
    audits_a_year: float = size(3, "Assumed: every four months.")
    audit_noise: float = size(0.6, "Assumed: one audit tells three quarters of the variance.")
    inspected_units: float = size(200, "Sample of ISO 2859-1, level II, for lots of 3,200 up.")
    defect_rate: float = size(0.025, "The usual acceptable quality limit for major defects.")


class DemandSizes(Section):
    """Demand: season, price, age, taste; shocks that nobody foresees."""

    lines_a_day: float = size(
        0.43, "Set so that a listing sells some tens of lines a year.", low=0.001
    )
    product_sd: float = size(
        0.75, "Assumed: sales of a category's articles spread over two decades."
    )
    listing_sd: float = size(0.45, "Assumed: taste differs between markets, less than articles.")
    quality_pull: float = size(0.12, "Assumed: quality shows in ratings and sells a little.")
    units_theta: float = size(0.2, "Assumed: a mean of 1.12 units a line.", high=0.9)
    shock_variance: float = size(0.25, "Assumed: weekly sales vary by half beyond counting noise.")
    price_sd: float = size(0.22, "Assumed: asking prices of comparable listings spread by a fifth.")
    price_changes: float = size(2.0, "Assumed: two changes of price in a listing's year.")
    rise_days: float = size(9, "Assumed: ranking takes a week or two to find a new listing.", low=1)
    fall_days: float = size(170, "Assumed: a half-life of about four months.", low=1)


class SellerSizes(Section):
    """The seller's imperfect rule for lots and reorders."""

    cover_days: float = size(42, "Assumed: lots are meant to last six weeks.", low=1)
    insight: float = size(
        0.5, "Assumed weight of what the seller knows of the true demand.", high=1
    )
    error_sd: float = size(0.8, "Assumed: first lots miss by a factor of two either way.")
    reorder_sd: float = size(0.45, "Assumed: reorders miss by less, for sales have been seen.")
    least_lot: float = size(8, "Assumed smallest lot that a factory packs.", low=1)
    reorder_share: float = size(
        0.75, "Assumed: one due reorder in four is overlooked that week.", high=1
    )


class CreatorSizes(Section):
    """Creators: reach, persuasion, their negative interaction and the inverted U."""

    strength: float = size(1.0, "0 switches every effect of creators on demand off.")
    products_each: float = size(4, "Assumed: a creator for each four products.", low=0.1)
    videos_a_listing: float = size(2.6, "Assumed mean before category and appeal.")
    followers_median: float = size(12_000, "Assumed median of creators who sell.", low=1)
    followers_sd: float = size(1.6, "Assumed: log-normal, one in a hundred above half a million.")
    impact: float = size(
        0.5, "Assumed: a first video of the mean creator lifts demand by half at first."
    )
    reach_slope: float = size(0.5, "Big creators reach more (TikTok, Douyin); size assumed.")
    persuasion_slope: float = size(
        0.5, "Effort predicts better than popularity (same studies); size assumed."
    )
    interaction: float = size(0.2, "They interact negatively (same studies); size assumed.")
    best_number: float = size(
        5, "Effect of the number of creators is an inverted U; assumed peak.", low=0.5
    )
    fade_days: float = size(14, "Assumed: short videos fade within weeks.", low=1)
    sponsored_share: float = size(0.35, "Assumed share of paid videos.", high=1)
    fraud_share: float = size(0.04, "Assumed: a few per cent of videos with gross fraud.", high=1)
    fraud_factor: float = size(6, "Assumed multiple of views and likes bought.", low=1)


class RepurchaseSizes(Section):
    """Repurchase by category, driven by quality and fit."""

    strength: float = size(1.0, "0 switches repurchase off.")
    delay_days: float = size(38, "Consumables are used up in a month or so.", low=1)
    quality_pull: float = size(
        0.35, "Assumed: a standard deviation of quality moves it by a third."
    )
    fit_pull: float = size(0.5, "Assumed: a wrong size or plug halves it.")


class LocalisationSizes(Section):
    """Localisation and the demands of markets, which are dated and change."""

    strength: float = size(1.0, "0 switches every effect of localisation off.")
    met_share: float = size(0.72, "Assumed share of attributes that sellers get right.", high=1)
    certificate_share: float = size(
        0.88, "Assumed share of required certificates in place.", high=1
    )
    repair_share: float = size(0.35, "Assumed share of gaps that are closed later.", high=1)
    repair_days: float = size(70, "Assumed mean time until a gap is closed.", low=1)
    language_pull: float = size(0.35, "Assumed: a third fewer buy from a page in another language.")
    imagery_pull: float = size(0.18, "Assumed: local pictures sell more.")
    packaging_pull: float = size(0.08, "Assumed: packaging is seen after the purchase.")
    size_chart_returns: float = size(0.8, "Assumed: without it, near twice the returns (log odds).")
    plug_returns: float = size(1.6, "Assumed: what can't be plugged in goes back (log odds).")
    language_returns: float = size(0.3, "Assumed: misunderstood descriptions (log odds).")
    takedown_a_day: float = size(
        0.012, "Assumed: half of uncertified listings go within two months.", high=1
    )


class LogisticsSizes(Section):
    """Promised and actual days, by market and mode; what lateness does."""

    promise_quantile: float = size(
        0.85, "Assumed: carriers promise what they keep six times in seven.", low=0.5, high=0.99
    )
    transit_sd: float = size(0.28, "Assumed: log-normal, a quarter about the median.", low=0.01)
    congestion_sd: float = size(0.12, "Assumed: weeks differ by a tenth in a market.")
    late_low_star_lift: float = size(
        1.18, "Late parcels raise the share of low stars by 18 %.", low=1
    )
    late_return_lift: float = size(1.30, "Assumed: late parcels come back more often.", low=1)
    late_damping: float = size(
        0.6, "Assumed: demand lost (log) were all parcels of four weeks late."
    )


class PolicySizes(Section):
    """Violations and safety cases, and delisting."""

    events_a_year: float = size(0.25, "Assumed: one listing in four is warned in a year.")
    restriction_share: float = size(0.3, "Assumed share of events that restrict a listing.", high=1)
    restricted_days: float = size(14, "Assumed: two weeks.")
    restricted_pull: float = size(0.6, "Assumed: demand (log) lost while restricted.")
    delisting_a_day: float = size(
        0.0002, "Assumed: 7 % of listings a year, by accident or law.", high=1
    )


class ReturnSizes(Section):
    """Returns beside what localisation and lateness add."""

    quality_slope: float = size(
        0.35, "Assumed: a standard deviation of quality, a third (log odds)."
    )
    listing_sd: float = size(0.25, "Assumed: listings differ for reasons of their own (log odds).")
    delay_days: float = size(
        8, "Assumed: a median of a week after delivery, few after four.", low=0.5
    )


class ReviewSizes(Section):
    """Reviews, with self-selection."""

    review_rate: float = size(0.08, "Assumed: one buyer in ten or so writes.", high=1)
    low_star_rate: float = size(0.13, "Assumed among all buyers of the mean listing.", high=1)
    quality_slope: float = size(0.5, "Assumed (log odds of a low star).")
    selection_lift: float = size(
        1.8, "Assumed: the disappointed and the delighted write more often.", low=1
    )
    media_share: float = size(0.25, "Assumed share with a picture or a video.", high=1)


class SelectionSizes(Section):
    """The platform's own rule for listing, on what it saw."""

    listed_share: float = size(
        0.38, "Set so that a third of what is proposed goes live.", low=0.01, high=0.99
    )
    quality_weight: float = size(0.5, "Assumed: the platform looks at audits.")
    appeal_weight: float = size(0.5, "Assumed: and at how the product sells elsewhere.")
    margin_weight: float = size(0.8, "Assumed: and at the margin.")
    sight_noise: float = size(1.0, "Assumed: as much noise as signal in what it sees.")
    least: float = size(
        0.03, "So that every kind of candidate is tried now and then.", low=0.001, high=0.5
    )


class Delay(Section):
    """How long after the event a table knows it."""

    hours: float = size(2, "Mean of an exponential delay.")
    backfill_share: float = size(0.0, "Share of rows that come with a later backfill.", high=1)
    backfill_days: float = size(3, "Mean additional delay of a backfilled row.")


def _delay(hours: float, share: float, days: float) -> Delay:
    return Delay(hours=hours, backfill_share=share, backfill_days=days)


class KnowledgeSizes(Section):
    """Delay between event and availability, by table: assumed from how such feeds are run."""

    prices: Delay = _delay(0.2, 0.005, 2)
    stock: Delay = _delay(0.1, 0.01, 2)
    orders: Delay = _delay(1.5, 0.004, 2)
    deliveries: Delay = _delay(10, 0.03, 4)
    returns: Delay = _delay(30, 0.05, 5)
    reviews: Delay = _delay(12, 0.02, 7)
    videos: Delay = _delay(8, 0.06, 6)
    video_stats: Delay = _delay(6, 0.05, 3)
    creator_stats: Delay = _delay(24, 0.02, 10)
    localisation: Delay = _delay(4, 0.02, 14)
    supplier_audits: Delay = _delay(120, 0.10, 30)
    policy_events: Delay = _delay(24, 0.05, 10)


class ProfitSizes(Section):
    """What a sale earns and an unsold unit loses."""

    fee_share: float = size(0.15, "Usual commission of marketplaces.", high=1)
    return_cost_share: float = size(0.2, "Assumed cost of handling a return, of the price.")
    unsold_worth_share: float = size(
        0.8, "Assumed: in four weeks a fifth goes for storage and markdown.", high=1
    )
    returned_worth_share: float = size(
        0.5, "Assumed: half of what comes back can be sold again.", high=1
    )
