"""The market a country of the source is."""

from __future__ import annotations

from typing import Final

import pycountry

_ALIASES: Final = {"EIRE": "IE", "RSA": "ZA"}
"""Names the source has for countries that ISO 3166 calls otherwise."""


def find_market(country: str) -> str | None:
    """Return the ISO 3166 code of a country, or None where the name means no single country.

    "Channel Islands" is None: they are two countries to ISO, Jersey and Guernsey.

    >>> find_market("EIRE"), find_market("Germany"), find_market("European Community")
    ('IE', 'DE', None)
    """
    if country.upper() in _ALIASES:
        return _ALIASES[country.upper()]
    try:
        return str(pycountry.countries.lookup(country).alpha_2)
    except LookupError:
        return None
