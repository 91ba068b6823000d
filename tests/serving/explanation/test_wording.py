from __future__ import annotations

import pytest

from features.catalogue.catalogue import CATALOGUE
from serving.explanation.phrases import FAMILIES, PHRASES, Form
from serving.explanation.statements import OTHER_EFFECTS
from serving.explanation.wording import describe_effect

MONEY = {declared.name for declared in CATALOGUE.inputs if declared.unit == "minor currency units"}
SHARES = {declared.name for declared in CATALOGUE.inputs if declared.unit == "share"}
DAYS = {declared.name for declared in CATALOGUE.inputs if declared.unit == "days"}


def test_every_effect_has_a_phrase_of_their_own() -> None:
    assert set(PHRASES) == {*CATALOGUE.model_inputs, *OTHER_EFFECTS}
    whole = [(one.english, one.english_base) for one in PHRASES.values()]
    chinese = [(one.chinese, one.chinese_base) for one in PHRASES.values()]
    assert len(set(whole)) == len(set(chinese)) == len(PHRASES)
    assert {one.family.value for one in CATALOGUE.inputs} | set(OTHER_EFFECTS.values()) == set(
        FAMILIES
    )


def test_a_phrase_writes_values_in_the_unit_of_its_input() -> None:
    for form, names in ((Form.MONEY, MONEY), (Form.DAYS, DAYS)):
        assert {name for name, one in PHRASES.items() if one.form is form} == names
    assert {name for name, one in PHRASES.items() if one.form is Form.SHARE} >= SHARES


@pytest.mark.parametrize(
    ("name", "value", "usual", "english", "chinese"),
    [
        (
            "relative_price_category_market_84d",
            1.18,
            1.0,
            "price 18 % above comparable listings: −6.0 points",
            "价格比同类商品高 18%：−6.0 个百分点",
        ),
        (
            "relative_price_category_market_84d",
            0.7,
            1.0,
            "price 30 % below comparable listings: −6.0 points",
            "价格比同类商品低 30%：−6.0 个百分点",
        ),
        (
            "relative_price_category_market_84d",
            1.001,
            1.0,
            "price equal to comparable listings: −6.0 points",
            "价格与同类商品持平：−6.0 个百分点",
        ),
        (
            "price_asked_over_paid",
            12.0,
            1.0,
            "price 12.0 times the price last paid: −6.0 points",
            "价格为最近成交价的 12.0 倍：−6.0 个百分点",
        ),
        (
            "relative_price_84d",
            None,
            1.0,
            "price not comparable with the mean paid for this listing: −6.0 points",
            "价格无法与本链接平均成交价比较：−6.0 个百分点",
        ),
        (
            "late_rate_84d",
            0.125,
            0.04,
            "late parcels in 84 days 12.5 % (usual 4 %): −6.0 points",
            "近84天包裹延误率 12.5%（通常 4%）：−6.0 个百分点",
        ),
        (
            "days_since_last_order",
            1.0,
            12.0,
            "time since the last order 1 day (usual 12 days): −6.0 points",
            "距上次成交 1 天（通常 12 天）：−6.0 个百分点",
        ),
        (
            "views_28d",
            None,
            12_345.0,
            "video views in 28 days unknown (usual 12,345): −6.0 points",
            "近28天视频播放量 未知（通常 12,345）：−6.0 个百分点",
        ),
        (
            "list_price_minor",
            679.0,
            None,
            "price 6.79 GBP: −6.0 points",
            "售价 6.79 GBP：−6.0 个百分点",
        ),
        (
            "is_self_run",
            1.0,
            0.0,
            "run by the seller yes (usual no): −6.0 points",
            "自运营 是（通常 否）：−6.0 个百分点",
        ),
    ],
)
def test_an_effect_reads_as_a_sentence(
    name: str, value: float | None, usual: float | None, english: str, chinese: str
) -> None:
    words = describe_effect(name, value, usual, currency="GBP", points=-6.04)
    assert (words.en, words.zh) == (english, chinese)


@pytest.mark.parametrize(
    ("currency", "price"), [("JPY", "679 JPY"), ("EUR", "6.79 EUR"), ("KWD", "0.679 KWD")]
)
def test_a_price_has_the_decimals_of_its_currency(currency: str, price: str) -> None:
    words = describe_effect("list_price_minor", 679.0, None, currency=currency, points=0.25)
    assert words.en == f"price {price}: +0.2 points"
