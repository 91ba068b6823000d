"""What each model input is called in an explanation, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from features.declarations.kinds import FeatureFamily

CALENDAR: Final = "seasonal_calendar"
"""The name of the calendar's part, which no model input has."""
NEW_LISTING: Final = "no_own_history"
"""The name of the part that all candidates without a history of their own have in common."""
OWN_HISTORY: Final = "own history"
"""The family of that part."""


class Form(StrEnum):
    """How a value is written."""

    NUMBER = "number"
    SHARE = "share"
    DAYS = "days"
    MONEY = "money"
    """Minor units of the market's currency."""
    RELATIVE = "relative"
    """A ratio to what the phrase compares with, written as so many per cent above or below it."""
    YES_NO = "yes or no"
    FACT = "fact"
    """True wherever it is named, so no value is written."""


@dataclass(frozen=True)
class Phrase:
    """The name of an input; a relative one ends with what the value is above or below."""

    english: str
    chinese: str
    form: Form = Form.NUMBER
    english_base: str = ""
    chinese_base: str = ""


FAMILIES: Final[Mapping[str, tuple[str, str]]] = {
    OWN_HISTORY: ("no history of its own", "无自身历史"),
    FeatureFamily.DEMAND.value: ("demand and stock", "需求与库存"),
    FeatureFamily.RETURNS.value: ("returns", "退货"),
    FeatureFamily.REPURCHASE.value: ("repurchase", "复购"),
    FeatureFamily.CREATORS.value: ("creator reviews", "达人带货"),
    FeatureFamily.LOCALISATION.value: ("localisation", "本地化"),
    FeatureFamily.PRICE.value: ("price and value", "价格与性价比"),
    FeatureFamily.LOGISTICS.value: ("logistics", "物流"),
    FeatureFamily.MARKET.value: ("market", "市场"),
}

_SHARE, _DAYS, _MONEY = Form.SHARE, Form.DAYS, Form.MONEY

PHRASES: Final[Mapping[str, Phrase]] = {
    CALENDAR: Phrase(
        "demand by the seasonal calendar", "季节日历的需求", Form.RELATIVE, "recent weeks", "近几周"
    ),
    NEW_LISTING: Phrase(
        "new here, as other listings without a history",
        "本市场新品（与其他无历史商品相同）",
        Form.FACT,
    ),
    "units_offered": Phrase("units in the lot", "本批数量"),
    "list_price_minor": Phrase("price", "售价", _MONEY),
    "order_lines_84d": Phrase("orders in 84 days", "近84天订单数"),
    "buyers_84d": Phrase("buyers in 84 days", "近84天买家数"),
    "days_since_last_order": Phrase("time since the last order", "距上次成交", _DAYS),
    "days_since_last_order_product": Phrase(
        "time since the product's last order in any market", "该商品在任一市场距上次成交", _DAYS
    ),
    "days_since_listed": Phrase("time on sale", "上架时长", _DAYS),
    "days_since_first_listed_product": Phrase(
        "time since the product's first listing in any market", "该商品首次上架至今", _DAYS
    ),
    "recent_order_share_84d": Phrase(
        "share of 84 days' units ordered in the last 28", "近84天销量中近28天占比", _SHARE
    ),
    "recent_order_share_product_84d": Phrase(
        "the product's share of 84 days' units ordered in the last 28",
        "该商品近84天销量中近28天占比",
        _SHARE,
    ),
    "recent_order_share_category_market_84d": Phrase(
        "the category's share of 84 days' units ordered in the last 28",
        "该类目近84天销量中近28天占比",
        _SHARE,
    ),
    "demand_pace_7d": Phrase(
        "units the horizon would sell at the last week's pace", "按近7天速度预计期内销量"
    ),
    "demand_pace_28d": Phrase(
        "units the horizon would sell at the pace of 28 days", "按近28天速度预计期内销量"
    ),
    "demand_pace_84d": Phrase(
        "units the horizon would sell at the pace of 84 days", "按近84天速度预计期内销量"
    ),
    "demand_pace_product_28d": Phrase(
        "units the product would sell in all markets at the pace of 28 days",
        "该商品按近28天速度各市场预计销量",
    ),
    "demand_pace_product_84d": Phrase(
        "units the product would sell in all markets at the pace of 84 days",
        "该商品按近84天速度各市场预计销量",
    ),
    "units_per_listing_product_28d": Phrase(
        "the product's units a listing in 28 days", "该商品近28天单链接销量"
    ),
    "units_per_listing_supplier_category_28d": Phrase(
        "the supplier's units a listing in the category in 28 days",
        "该供应商同类目近28天单链接销量",
    ),
    "units_per_listing_category_market_28d": Phrase(
        "the category's units a listing in 28 days", "该类目近28天单链接销量"
    ),
    "order_size_84d": Phrase("units an order", "每单件数"),
    "coming_season_share_category_market_365d": Phrase(
        "the category's share of a year's units in the same weeks a year ago",
        "该类目去年同期占全年销量",
        _SHARE,
    ),
    "units_on_hand": Phrase("units on hand", "现货数量"),
    "units_inbound": Phrase("units on their way", "在途数量"),
    "days_since_nothing_inbound": Phrase(
        "time since nothing was on its way", "距上次无在途", _DAYS
    ),
    "in_stock_share_84d": Phrase("share of 84 days in stock", "近84天有货占比", _SHARE),
    "in_stock_demand_pace_84d": Phrase(
        "units the horizon would sell at the pace while in stock", "按有货期间速度预计期内销量"
    ),
    "on_hand_demand_cover_84d": Phrase(
        "demand of the horizon per unit on hand", "每件现货对应的期内需求"
    ),
    "days_until_arrival": Phrase("time until units arrive", "距到货", _DAYS),
    "sell_through_rate_180d": Phrase("own sell-through in 180 days", "自身近180天售罄率", _SHARE),
    "pooled_sell_through_rate_180d": Phrase(
        "sell-through of this and comparable listings", "本品及同类商品售罄率", _SHARE
    ),
    "own_weight_sell_through_rate_180d": Phrase(
        "weight of its own history in sell-through", "售罄率中自身历史权重", _SHARE
    ),
    "return_rate_180d": Phrase("own return rate in 180 days", "自身近180天退货率", _SHARE),
    "pooled_return_rate_180d": Phrase(
        "return rate of this and comparable listings", "本品及同类商品退货率", _SHARE
    ),
    "own_weight_return_rate_180d": Phrase(
        "weight of its own history in the return rate", "退货率中自身历史权重", _SHARE
    ),
    "repurchase_rate_180d": Phrase("own repurchase rate in 180 days", "自身近180天复购率", _SHARE),
    "pooled_repurchase_rate_180d": Phrase(
        "repurchase rate of this and comparable listings", "本品及同类商品复购率", _SHARE
    ),
    "own_weight_repurchase_rate_180d": Phrase(
        "weight of its own history in the repurchase rate", "复购率中自身历史权重", _SHARE
    ),
    "return_rate_28d": Phrase("return rate in 28 days", "近28天退货率", _SHARE),
    "units_back_per_ordered_28d": Phrase(
        "units back per unit ordered in 28 days", "近28天退回件数占下单件数", _SHARE
    ),
    "expected_return_rate_180d": Phrase(
        "returns to expect from category, gaps, audits and stars",
        "按类目、本地化、验厂与星级预计的退货率",
        _SHARE,
    ),
    "expected_repeat_buyers_84d": Phrase("buyers expected to buy again", "预计复购买家数"),
    "views_28d": Phrase("video views in 28 days", "近28天视频播放量"),
    "views_product_28d": Phrase(
        "video views of the product in all markets in 28 days", "该商品各市场近28天视频播放量"
    ),
    "click_rate_28d": Phrase("clicks per video view in 28 days", "近28天视频点击率", _SHARE),
    "recent_view_share_28d": Phrase(
        "share of 28 days' views in the last week", "近28天播放中近7天占比", _SHARE
    ),
    "units_per_click_84d": Phrase("units per click in 84 days", "近84天每次点击成交件数"),
    "videos_84d": Phrase("videos in 84 days", "近84天视频数"),
    "mean_sentiment_84d": Phrase("tone of videos, -1 to 1", "视频口碑（-1至1）"),
    "days_since_last_video": Phrase("time since the last video", "距上次视频", _DAYS),
    "creator_unit_share_28d": Phrase(
        "share of units sold through a creator in 28 days", "近28天达人成交占比", _SHARE
    ),
    "followers_creator": Phrase("the creator's followers", "达人粉丝数"),
    "conversion_rate_creator_180d": Phrase(
        "the creator's units per click in 180 days", "达人近180天点击转化率", _SHARE
    ),
    "return_rate_creator_180d": Phrase(
        "return rate of the creator's units in 180 days", "达人近180天退货率", _SHARE
    ),
    "language_gap_share": Phrase("language not localised", "语言未本地化程度", _SHARE),
    "size_chart_gap_share": Phrase("size chart not localised", "尺码表未本地化程度", _SHARE),
    "plug_voltage_gap_share": Phrase(
        "plug and voltage not localised", "插头电压未本地化程度", _SHARE
    ),
    "packaging_gap_share": Phrase("packaging not localised", "包装未本地化程度", _SHARE),
    "imagery_gap_share": Phrase("pictures not localised", "图片未本地化程度", _SHARE),
    "requirement_met_share": Phrase("required attributes met", "必备属性达标占比", _SHARE),
    "certificates_missing": Phrase("required certificates missing", "缺少的必备认证数"),
    "days_since_localisation_change": Phrase(
        "time since the last localisation", "距上次本地化调整", _DAYS
    ),
    "late_rate_84d": Phrase("late parcels in 84 days", "近84天包裹延误率", _SHARE),
    "mean_delivery_days_84d": Phrase("delivery time in 84 days", "近84天平均送达时长", _DAYS),
    "late_rate_supplier_84d": Phrase(
        "the supplier's late parcels in 84 days", "该供应商近84天包裹延误率", _SHARE
    ),
    "mean_delivery_days_supplier_84d": Phrase(
        "the supplier's delivery time in 84 days", "该供应商近84天平均送达时长", _DAYS
    ),
    "latest_paid_price_minor": Phrase("price last paid", "最近成交价", _MONEY),
    "highest_list_price_minor_365d": Phrase(
        "highest list price in a year", "近一年最高标价", _MONEY
    ),
    "packed_weight_g_product": Phrase("packed weight in grams", "包装重量（克）"),
    "packed_volume_ml_product": Phrase("packed volume in millilitres", "包装体积（毫升）"),
    "relative_price_category_market_84d": Phrase(
        "price", "价格", Form.RELATIVE, "comparable listings", "同类商品"
    ),
    "relative_price_84d": Phrase(
        "price", "价格", Form.RELATIVE, "the mean paid for this listing", "本链接平均成交价"
    ),
    "price_asked_over_paid": Phrase(
        "price", "价格", Form.RELATIVE, "the price last paid", "最近成交价"
    ),
    "discount_depth_share_365d": Phrase(
        "discount from the year's highest price", "较近一年最高价的折扣", _SHARE
    ),
    "margin_after_cost": Phrase("margin after cost", "扣除成本后的毛利率", _SHARE),
    "listings_started_category_market_84d": Phrase(
        "new listings in the category in 84 days", "该类目近84天新上架数"
    ),
    "is_full_managed": Phrase("run by the platform", "全托管", Form.YES_NO),
    "is_self_run": Phrase("run by the seller", "自运营", Form.YES_NO),
}
"""Model input to its phrase, and those of the parts that no input has."""
