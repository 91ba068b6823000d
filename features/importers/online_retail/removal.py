"""Which lines are no sales of products, and which can't be judged: a table of rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from features.importers.online_retail.fates import Reason, quarantine_reason, removal_reason

Condition: TypeAlias = Callable[[pd.DataFrame], "pd.Series[bool]"]

NON_PRODUCTS: Final = (
    (removal_reason("postage", "postage and carriage"), ("POST", "DOT", "C2", "23444")),
    (removal_reason("packing", "a charge for packing"), ("23574",)),
    (removal_reason("manual_entry", "an entry by hand that names no product"), ("M",)),
    (removal_reason("discount", "a discount on a whole invoice"), ("D",)),
    (removal_reason("sample", "samples sent out"), ("S",)),
    (removal_reason("bank_charge", "what the bank took"), ("BANK CHARGES",)),
    (removal_reason("marketplace_fee", "what a marketplace took"), ("AMAZONFEE",)),
    (removal_reason("charity_commission", "what a charity was given"), ("CRUK",)),
    (
        removal_reason("gift_voucher", "a voucher, which is money and no product"),
        (*(f"GIFT_0001_{pounds}" for pounds in (10, 20, 30, 40, 50)), "22016"),
    ),
    (
        removal_reason("placeholder", "pads at a tenth of a penny, a picture file"),
        ("PADS", "23702"),
    ),
)
"""Stock codes, in upper case, that stand for no product. Four of them look like products."""

BAD_DEBT_CODE: Final = "B"


@dataclass(frozen=True)
class RemovalRule:
    """Don't keep a line when the condition holds; it is given the lines of `parse_lines`."""

    reason: Reason
    applies: Condition


def _is_missing(column: str) -> Condition:
    return lambda lines: lines[column].isna()


def _has_code(codes: tuple[str, ...]) -> Condition:
    return lambda lines: lines["product_id"].isin(codes)


# The first rule that applies wins, so that each line has one reason.
RULES: Final = (
    RemovalRule(
        quarantine_reason("invoice_malformed", "no usable invoice number"), _is_missing("invoice")
    ),
    RemovalRule(
        quarantine_reason("product_malformed", "no usable stock code"), _is_missing("product_id")
    ),
    RemovalRule(
        quarantine_reason("units_malformed", "the quantity isn't whole"), _is_missing("units")
    ),
    RemovalRule(
        quarantine_reason("price_malformed", "the price isn't an amount"),
        _is_missing("price_minor"),
    ),
    RemovalRule(
        quarantine_reason("time_malformed", "the time isn't on the clock"),
        _is_missing("event_time"),
    ),
    RemovalRule(
        removal_reason("bad_debt", "an adjustment of bad debt"),
        lambda lines: lines["is_bad_debt"] | (lines["product_id"] == BAD_DEBT_CODE),
    ),
    *(RemovalRule(reason, _has_code(codes)) for reason, codes in NON_PRODUCTS),
    RemovalRule(
        removal_reason("duplicate_line", "equal in every column to an earlier line"),
        lambda lines: lines["is_duplicate"],
    ),
    RemovalRule(
        removal_reason("stock_adjustment", "no units or fewer, yet no cancellation"),
        lambda lines: ~lines["is_cancellation"] & (lines["units"] <= 0),
    ),
    RemovalRule(
        removal_reason("price_not_positive", "given away or written off: less than half a penny"),
        lambda lines: lines["price_minor"] <= 0,
    ),
    RemovalRule(
        quarantine_reason("country_not_iso", "sold to no country, or to one of several"),
        lambda lines: ~lines["is_cancellation"] & lines["market"].isna(),
    ),
    RemovalRule(
        quarantine_reason("cancellation_not_negative", "a cancellation that takes nothing back"),
        lambda lines: lines["is_cancellation"] & (lines["units"] >= 0),
    ),
    RemovalRule(
        quarantine_reason("cancellation_without_customer", "nobody knows whose purchase it undoes"),
        lambda lines: lines["is_cancellation"] & lines["customer"].isna(),
    ),
)


def classify_lines(lines: pd.DataFrame) -> pd.Series[str]:
    """Return the name of the reason for which each line isn't kept; null: it is.

    Kept lines are sales, and cancellations that are still to be matched.
    """
    conditions = [rule.applies(lines).fillna(value=False).to_numpy(dtype=bool) for rule in RULES]
    names = np.select(conditions, [rule.reason.name for rule in RULES], default="")
    return pd.Series(names, index=lines.index, dtype="str").replace("", None)
