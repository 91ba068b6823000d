"""Rules for the lines that are no sales of products, or that can't be judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from features.importers.online_retail.reasons import Reason, quarantine_reason, removal_reason

Condition: TypeAlias = Callable[[pd.DataFrame], "pd.Series[bool]"]

NON_PRODUCTS: Final = (
    (removal_reason("postage", "postage and carriage"), ("POST", "DOT", "C2", "23444")),
    (removal_reason("packing", "a charge for packing"), ("23574",)),
    (removal_reason("manual_entry", "a manual entry without a product"), ("M",)),
    (removal_reason("discount", "a discount on a whole invoice"), ("D",)),
    (removal_reason("sample", "a sample"), ("S",)),
    (removal_reason("bank_charge", "a charge of the bank"), ("BANK CHARGES",)),
    (removal_reason("marketplace_fee", "a fee of a marketplace"), ("AMAZONFEE",)),
    (removal_reason("charity_commission", "a commission for a charity"), ("CRUK",)),
    (
        removal_reason("gift_voucher", "a gift voucher, which is money"),
        (*(f"GIFT_0001_{pounds}" for pounds in (10, 20, 30, 40, 50)), "22016"),
    ),
    (
        removal_reason("placeholder", "pads at a tenth of a penny, a picture file"),
        ("PADS", "23702"),
    ),
)
"""Stock codes in upper case that are no products. Four of them look like products."""

BAD_DEBT_CODE: Final = "B"


@dataclass(frozen=True)
class RemovalRule:
    """Drop each line of `parse_lines` for which the condition is true."""

    reason: Reason
    applies: Condition


def _is_missing(column: str) -> Condition:
    return lambda lines: lines[column].isna()


def _has_code(codes: tuple[str, ...]) -> Condition:
    return lambda lines: lines["product_id"].isin(codes)


# The first matching rule wins, so that each line has one reason.
RULES: Final = (
    RemovalRule(
        quarantine_reason("invoice_malformed", "no usable invoice number"), _is_missing("invoice")
    ),
    RemovalRule(
        quarantine_reason("product_malformed", "no usable stock code"), _is_missing("product_id")
    ),
    RemovalRule(
        quarantine_reason("units_malformed", "the quantity is no whole number"),
        _is_missing("units"),
    ),
    RemovalRule(
        quarantine_reason("price_malformed", "the price isn't an amount"),
        _is_missing("price_minor"),
    ),
    RemovalRule(
        quarantine_reason("time_malformed", "no time, or one that London's clocks never showed"),
        _is_missing("event_time"),
    ),
    RemovalRule(
        removal_reason("bad_debt", "an adjustment of bad debt"),
        lambda lines: lines["is_bad_debt"] | (lines["product_id"] == BAD_DEBT_CODE),
    ),
    *(RemovalRule(reason, _has_code(codes)) for reason, codes in NON_PRODUCTS),
    RemovalRule(
        removal_reason("duplicate_line", "equal to an earlier line in every column"),
        lambda lines: lines["is_duplicate"],
    ),
    RemovalRule(
        removal_reason("stock_adjustment", "zero or negative units, but no cancellation"),
        lambda lines: ~lines["is_cancellation"] & (lines["units"] <= 0),
    ),
    RemovalRule(
        removal_reason("price_not_positive", "given away or written off, below half a penny"),
        lambda lines: lines["price_minor"] <= 0,
    ),
    RemovalRule(
        quarantine_reason("country_not_iso", "the country isn't a single ISO country"),
        lambda lines: ~lines["is_cancellation"] & lines["market"].isna(),
    ),
    RemovalRule(
        quarantine_reason("cancellation_not_negative", "a cancellation without negative units"),
        lambda lines: lines["is_cancellation"] & (lines["units"] >= 0),
    ),
    RemovalRule(
        quarantine_reason("cancellation_without_customer", "the customer is unknown"),
        lambda lines: lines["is_cancellation"] & lines["customer"].isna(),
    ),
)


def classify_lines(lines: pd.DataFrame) -> pd.Series[str]:
    """Return for each line the name of the reason not to keep it; null for a kept line.

    Kept lines are sales, and cancellations that `match_cancellations` still has to match.
    """
    conditions = [rule.applies(lines).fillna(value=False).to_numpy(dtype=bool) for rule in RULES]
    names = np.select(conditions, [rule.reason.name for rule in RULES], default="")
    return pd.Series(names, index=lines.index, dtype="str").replace("", None)
