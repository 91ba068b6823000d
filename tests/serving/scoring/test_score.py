from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import DaySpan, as_of_to_day
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.declarations.targets import TARGETS, Target
from features.online.contents import ListingFacts, ProductFacts
from features.online.snapshot import LookupKeys, LookupResult, OnlineSnapshot
from features.online.writer import write_snapshot
from serving.batch.score_file import score_rows
from serving.bundle.bundle import Bundle
from serving.conformal.cells import (
    EVIDENCE_AMOUNTS,
    ROOT,
    IntervalContext,
    MondrianCell,
    expected_orders,
    leaf_cells,
)
from serving.conformal.demand_tails import DemandTails
from serving.conformal.intervals import ConformalResiduals
from serving.errors import CatalogueMismatchError, HorizonsMismatchError
from serving.prediction.predict import predict
from serving.prediction.seasonality import Seasons, Uplift
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel
from serving.scoring.candidates import Candidate, parse_candidate
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.refusals import Detail, RequestRefusedError
from serving.scoring.score import check_pair, score
from tests.worlds.serving import AS_OF, snapshot_contents

WARM = Candidate(
    product_id="mug-1",
    market="GB",
    list_price_minor=499,
    currency="GBP",
    units_offered=100,
    listing_id="mug-1|GB",
)


def _other(**changes: Any) -> Candidate:  # noqa: ANN401 - any field of a candidate
    return msgspec.structs.replace(WARM, **changes)


NEW_LISTING = _other(listing_id=None)
NEW_PRODUCT = _other(product_id="new", listing_id=None, category="kitchen")
FILMED_PRODUCT = msgspec.structs.replace(NEW_PRODUCT, supplier_id="maker", creator_id="reviewer")


def _day(text: str) -> int:
    return as_of_to_day(datetime.fromisoformat(f"{text}T00:00:00+00:00"))


def _columns_of(candidate: Candidate, category: str | None) -> dict[str, Any]:
    """Look the features up by hand, level by level; a mug has one listing."""
    is_mug = candidate.product_id.startswith("mug")
    supplier = "maker" if is_mug else candidate.supplier_id
    creator = "reviewer" if is_mug else candidate.creator_id
    listing = "mug-1|GB" if is_mug else candidate.listing_id
    keys = {
        Level.LISTING: (listing,),
        Level.PRODUCT: (candidate.product_id,),
        Level.SUPPLIER: (supplier,),
        Level.SUPPLIER_CATEGORY: (supplier, category),
        Level.CREATOR: (creator,),
        Level.CATEGORY_MARKET: (category, candidate.market),
        Level.MARKET: (candidate.market,),
    }
    columns = {
        "units_offered": np.array([float(candidate.units_offered)]),
        "list_price_minor": np.array([float(candidate.list_price_minor)]),
    }
    for level, vectors in snapshot_contents().levels.items():
        known: dict[tuple[str | None, ...], Any] = dict(
            zip(vectors.keys, vectors.values, strict=True)
        )
        zeros = np.zeros(len(CATALOGUE.at_level(level)))
        vector = known.get(keys[level], zeros)
        for feature, value in zip(CATALOGUE.at_level(level), vector, strict=True):
            columns[feature.name] = np.array([value])
    return columns


@pytest.mark.parametrize(
    ("candidate", "category"),
    [
        (WARM, "kitchen"),
        (NEW_LISTING, "kitchen"),
        (NEW_PRODUCT, "kitchen"),
        (FILMED_PRODUCT, "kitchen"),
        (_other(product_id="new", listing_id="new|GB", category="furniture"), "furniture"),
        (_other(product_id="new", listing_id=None), None),
    ],
)
def test_score_is_the_prediction_of_features_looked_up_by_hand(
    bundle: Bundle, snapshot: OnlineSnapshot, candidate: Candidate, category: str | None
) -> None:
    (answer,) = score(bundle, snapshot, [candidate], coverage=0.9).candidates
    columns = _columns_of(candidate, category)
    expected = predict(bundle.models, columns, [candidate.market], coverage=0.9, demand=np.ones(1))
    for target in TARGETS:
        share, prediction = getattr(answer, target), expected.targets[target]
        assert (share.estimate, share.low, share.high) == (
            prediction.estimate[0],
            prediction.low[0],
            prediction.high[0],
        )
        assert share.coverage == 0.9
    assert answer.return_risk is not None
    assert answer.score == answer.sell_through.estimate * (1 - answer.return_risk.estimate)


def test_score_without_returns_is_unknown_and_says_so_of_every_candidate(
    bundle: Bundle, bundle_without_returns: Bundle, snapshot: OnlineSnapshot
) -> None:
    batch = [WARM, NEW_LISTING, NEW_PRODUCT]
    whole = score(bundle, snapshot, batch, coverage=0.8).candidates
    alone = score(bundle_without_returns, snapshot, batch, coverage=0.8).candidates
    for answer, other in zip(whole, alone, strict=True):
        flags = [*answer.flags[:-1], "no_return_risk", "imputed:stock"]
        expected = msgspec.structs.replace(answer, return_risk=None, score=None, flags=flags)
        assert other == expected
    assert b'"return_risk":null,"score":null' in msgspec.json.encode(alone[0])


def test_score_of_a_batch_is_that_of_its_candidates_alone(
    bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    batch = [WARM, NEW_PRODUCT, NEW_LISTING, *[_other(units_offered=n) for n in range(1, 200)]]
    together = score(bundle, snapshot, batch, coverage=0.8).candidates
    alone = [score(bundle, snapshot, [row], coverage=0.8).candidates[0] for row in batch]
    assert together == alone


def test_score_names_what_made_it(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    batch = score(bundle, snapshot, [_other(candidate_id="c-1")], coverage=0.8)
    assert batch.bundle_id == bundle.bundle_id
    assert batch.snapshot_id == snapshot.snapshot_id
    assert batch.as_of == AS_OF.isoformat() == "2026-03-02T00:00:00+00:00"
    (answer,) = batch.candidates
    assert (answer.candidate_id, answer.product_id, answer.market) == ("c-1", "mug-1", "GB")


@pytest.mark.parametrize(
    ("candidate", "flags", "levels"),
    [
        (WARM, [], list(Level)),
        (NEW_LISTING, [], list(Level)),
        (
            FILMED_PRODUCT,
            ["cold_start", "unknown_product"],
            ["supplier", "supplier_category", "creator", "category_market", "market"],
        ),
        (NEW_PRODUCT, ["cold_start", "unknown_product"], ["category_market", "market"]),
        (
            _other(product_id="new", listing_id=None),
            ["cold_start", "unknown_product", "unseen_category"],
            ["market"],
        ),
        (
            _other(product_id="new", listing_id=None, category="furniture"),
            ["cold_start", "unknown_product", "unseen_category"],
            ["market"],
        ),
        (
            _other(category="toys"),
            ["category_of_snapshot"],
            list(Level),
        ),
        (
            _other(listing_id="typo"),
            ["cold_start", "unknown_listing"],
            [level for level in Level if level not in {Level.LISTING, Level.CREATOR}],
        ),
        (
            _other(creator_id="typo"),
            ["unknown_creator"],
            [level for level in Level if level is not Level.CREATOR],
        ),
        (_other(supplier_id="maker"), [], list(Level)),
        (_other(supplier_id="typo"), ["unknown_supplier", "supplier_of_snapshot"], list(Level)),
        (
            _other(product_id="new-pan", listing_id=None, supplier_id="maker"),
            ["cold_start", "supplier_of_snapshot"],
            ["product", "category_market", "market"],
        ),
        (
            msgspec.structs.replace(NEW_PRODUCT, supplier_id="typo"),
            ["cold_start", "unknown_product", "unknown_supplier"],
            ["category_market", "market"],
        ),
        (_other(list_price_minor=10**6), ["out_of_range:list_price_minor"], list(Level)),
        (_other(units_offered=10**6), ["out_of_range:units_offered"], list(Level)),
        (
            msgspec.structs.replace(NEW_PRODUCT, list_price_minor=10**6, units_offered=10**6),
            [
                *("cold_start", "unknown_product"),
                *("out_of_range:units_offered", "out_of_range:list_price_minor"),
            ],
            ["category_market", "market"],
        ),
    ],
)
def test_score_flags_what_it_lacks_and_names_the_levels_used(
    bundle: Bundle,
    snapshot: OnlineSnapshot,
    candidate: Candidate,
    flags: list[str],
    levels: list[str],
) -> None:
    (answer,) = score(bundle, snapshot, [candidate], coverage=0.8).candidates
    assert answer.flags == [*flags, "imputed:stock"]
    assert answer.evidence.levels_used == levels
    assert answer.evidence.as_of == AS_OF.isoformat()


@pytest.mark.parametrize(
    ("first", "flags"),
    [("2025-03-03", []), ("2025-03-04", ["unseen_season"])],
    ids=["a year before", "a day less"],
)
def test_score_says_that_its_season_was_never_learned_from(
    first: str, flags: list[str], bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    learned = DaySpan(_day(first), _day("2025-12-31"))
    young = _with_seasons(bundle, Seasons(learned=learned, uplifts=()))
    for answer in score(young, snapshot, [WARM, NEW_PRODUCT], coverage=0.8).candidates:
        assert [flag for flag in answer.flags if flag == "unseen_season"] == flags


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({"markets": ("DE",)}, {"unseen_market"}),
        ({"cut_off_day": as_of_to_day(AS_OF) - 90}, set()),
        ({"cut_off_day": as_of_to_day(AS_OF) - 91}, {"old_model"}),
        ({"cut_off_day": as_of_to_day(AS_OF) + 90}, set()),
        ({"cut_off_day": as_of_to_day(AS_OF) + 91}, {"old_snapshot"}),
    ],
)
def test_score_says_that_bundle_and_snapshot_are_not_of_one_market_or_time(
    change: dict[str, Any], flags: set[str], bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    other = replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, **change))
    (answer,) = score(other, snapshot, [WARM], coverage=0.8).candidates
    assert set(answer.flags) - {"imputed:stock"} == flags


def _with_seasons(bundle: Bundle, seasons: Seasons) -> Bundle:
    manifest = msgspec.structs.replace(bundle.manifest, seasons=seasons)
    return replace(bundle, manifest=manifest)


def test_score_of_days_never_learned_from_heeds_the_calendar_of_the_market(
    bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    first, last = ((AS_OF + timedelta(days=n)).strftime("%m-%d") for n in (0, 13))
    uplift = Uplift(name="fair", first=first, last=last, uplift=0.5, markets=(WARM.market,))
    learned = DaySpan(_day("2025-06-01"), _day("2025-12-31"))
    elsewhere = _other(product_id="new", listing_id=None, market="DE", currency="EUR")
    silent, adjusted = (
        score(
            _with_seasons(bundle, Seasons(learned=learned, uplifts=uplifts)),
            snapshot,
            batch,
            coverage=0.8,
        )
        for batch in [[WARM, elsewhere]]
        for uplifts in [(), (uplift,)]
    )
    plain = score(bundle, snapshot, [WARM, elsewhere], coverage=0.8)
    assert [answer.sell_through for answer in silent.candidates] == [
        answer.sell_through for answer in plain.candidates
    ]
    columns = _columns_of(WARM, "kitchen")
    demand = np.array([1 + 0.5 * 14 / 28])
    expected = predict(bundle.models, columns, [WARM.market], coverage=0.8, demand=demand)
    warm, other = adjusted.candidates
    for target in TARGETS:
        share, prediction = getattr(warm, target), expected.targets[target]
        actual = (share.estimate, share.low, share.high)
        assert actual == (prediction.estimate[0], prediction.low[0], prediction.high[0])
    unmoved = silent.candidates[0].return_risk
    assert warm.return_risk is not None
    assert unmoved is not None
    assert warm.return_risk.estimate == unmoved.estimate
    assert "season_demand:1.25" in warm.flags
    assert "unseen_season" in warm.flags
    assert other.sell_through == silent.candidates[1].sell_through
    assert not any(flag.startswith("season_demand") for flag in other.flags)


def test_score_tells_the_weight_of_own_evidence(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    warm, cold = score(bundle, snapshot, [WARM, NEW_PRODUCT], coverage=0.8).candidates
    trials = {
        "sell_through_rate": "units_offered_180d",
        "return_rate": "units_ripe_180d",
        "repurchase_rate": "buyers_ripe_180d",
    }
    columns = _columns_of(WARM, "kitchen")
    for rate, column in trials.items():
        count = columns[column][0]
        strength = bundle.models.parameters[f"{rate}_strength_listing"]
        assert warm.evidence.own_weight[rate] == count / (count + strength)
    assert cold.evidence.own_weight == dict.fromkeys(trials, 0.0)


def test_score_with_uncountable_evidence_tells_no_weight(bundle: Bundle, tmp_path: Path) -> None:
    contents = snapshot_contents()
    listing = contents.about.levels[Level.LISTING]
    absent = listing.model_copy(update={"defaults": (None,) * len(listing.features)})
    about = contents.about.model_copy(
        update={"levels": {**contents.about.levels, Level.LISTING: absent}}
    )
    write_snapshot(replace(contents, about=about), tmp_path)
    blind = OnlineSnapshot.open(tmp_path)
    (answer,) = score(bundle, blind, [NEW_PRODUCT], coverage=0.8).candidates
    assert set(answer.evidence.own_weight.values()) == {None}
    assert "cold_start" in answer.flags


def test_score_of_an_unknown_product_has_the_wider_interval(
    bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    (answer,) = score(bundle, snapshot, [NEW_PRODUCT], coverage=0.8).candidates
    columns = _columns_of(NEW_PRODUCT, "kitchen")
    matrix = CATALOGUE.design_matrix(columns, bundle.models.parameters)
    for target in TARGETS:
        share = getattr(answer, target)
        outlook = bundle.models.targets[target].predict(matrix, np.ones(1))
        assert share.estimate == outlook.share[0]
        sold = np.array([answer.sell_through.estimate])
        exposure = expected_orders(columns["units_offered"], sold)
        for evidence in range(len(EVIDENCE_AMOUNTS)):
            context = IntervalContext(np.array([evidence]), leaf_cells(["GB"]), exposure)
            low, high = outlook.interval(context, coverage=0.8)
            assert share.low <= low[0]
            assert share.high >= high[0]


@pytest.mark.parametrize(
    ("kept", "merged"),
    [
        ({("some",), ("some", "GB"), ("much",), ("much", "GB"), ("none",)}, [False, True]),
        ({("none",), ("none", "GB")}, [True, False]),
        (set(), [True, True]),
    ],
)
@pytest.mark.parametrize("of_demand", [False, True])
def test_score_resting_on_a_wider_cell_says_so(
    kept: set[MondrianCell],
    merged: list[bool],
    bundle: Bundle,
    snapshot: OnlineSnapshot,
    *,
    of_demand: bool,
) -> None:
    risk, sold = (bundle.models.targets[target] for target in ("return_risk", "sell_through"))
    assert isinstance(risk, ShareModel)
    assert isinstance(sold, DemandModel)
    stored = (sold if of_demand else risk).residuals.cells
    cells = {cell: stored[cell] for cell in stored if cell in {ROOT, *kept}}
    targets: dict[Target, TargetModel] = {
        "sell_through": replace(sold, tails=DemandTails(cells)) if of_demand else sold,
        "return_risk": risk
        if of_demand
        else replace(risk, conformal=ConformalResiduals(cells, risk.conformal.difficulty)),
    }
    other = replace(bundle, models=replace(bundle.models, targets=targets))
    answers = score(other, snapshot, [WARM, NEW_PRODUCT], coverage=0.8).candidates
    assert ["interval_merged" in answer.flags for answer in answers] == merged
    assert answers[1].flags[0] == "cold_start"


@pytest.mark.parametrize(
    ("candidate", "code", "loc"),
    [
        (_other(market="FR", currency="EUR"), "unsupported_market", "market"),
        (_other(currency="EUR"), "currency_mismatch", "currency"),
        (_other(currency="XYZ"), "currency_mismatch", "currency"),
        (_other(product_id="mug-2"), "listing_mismatch", "listing_id"),
        (_other(market="DE", currency="EUR"), "listing_mismatch", "listing_id"),
    ],
)
def test_score_of_a_candidate_that_contradicts_the_snapshot_is_refused(
    bundle: Bundle, snapshot: OnlineSnapshot, candidate: Candidate, code: str, loc: str
) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        score(bundle, snapshot, [WARM, candidate, WARM, candidate], coverage=0.8)
    assert caught.value.code == code
    assert caught.value.details == (
        Detail(("candidates", 1, loc), code),
        Detail(("candidates", 3, loc), code),
    )


class CountingSnapshot(OnlineSnapshot):
    """A snapshot that counts which facts are looked up."""

    def __init__(self, snapshot: OnlineSnapshot) -> None:
        super().__init__(snapshot.about, snapshot.snapshot_id, snapshot.file)
        self.counts: Counter[str] = Counter()

    def products(self, names: Iterable[str]) -> list[ProductFacts | None]:
        self.counts["products"] += 1
        return super().products(names)

    def listings(self, names: Iterable[str | None]) -> list[ListingFacts | None]:
        self.counts["listings"] += 1
        return super().listings(names)

    def look_up(self, keys: LookupKeys) -> LookupResult:
        self.counts["vectors"] += 1
        return super().look_up(keys)


def test_score_looks_up_the_facts_of_a_request_once(
    bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    counting = CountingSnapshot(snapshot)
    score(bundle, counting, [WARM, NEW_LISTING, NEW_PRODUCT], coverage=0.8)
    assert counting.counts == {"products": 1, "listings": 1, "vectors": 1}


def test_batch_looks_up_the_facts_of_a_chunk_once(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    counting = CountingSnapshot(snapshot)
    good = msgspec.to_builtins(WARM)
    rows = [good, {**good, "market": "FR"}, {**good, "units_offered": 0}, good]
    parsed = [parse_candidate(row) for row in rows]
    answers = score_rows(LoadedArtefacts(bundle, counting), parsed, coverage=0.8)
    assert [answer["error"] is None for answer in answers] == [True, False, False, True]
    assert counting.counts == {"products": 1, "listings": 1, "vectors": 1}


def test_pair_of_other_catalogues_is_refused(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    about = snapshot.about.model_copy(update={"catalogue_fingerprint": "f" * 64})
    other = OnlineSnapshot(about, snapshot.snapshot_id, snapshot.file)
    with pytest.raises(
        CatalogueMismatchError, match="The snapshot was made for another feature catalogue"
    ):
        check_pair(bundle, other)


def test_pair_of_other_horizons_is_refused(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    about = snapshot.about.model_copy(update={"horizons": Horizons(horizon_days=14)})
    other = OnlineSnapshot(about, snapshot.snapshot_id, snapshot.file)
    with pytest.raises(HorizonsMismatchError) as caught:
        score(bundle, other, [WARM], coverage=0.8)
    bundle_horizons, snapshot_horizons = caught.value.problem.split(" in the bundle, ")
    assert "horizon_days 28" in bundle_horizons
    assert "horizon_days 14" in snapshot_horizons


def test_score_opens_no_file_named_by_a_candidate(
    bundle: Bundle, snapshot: OnlineSnapshot, tmp_path: Path
) -> None:
    path = str(tmp_path / "absent")
    candidate = _other(product_id=path[:128], listing_id=None)
    score(bundle, snapshot, [candidate], coverage=0.8)
    assert list(tmp_path.iterdir()) == []
