"""The category of a product, read from its description by a fixed rule."""

from __future__ import annotations

import re
from typing import Final

from features.importers.online_retail.category_rules import CATEGORY_RULES, OTHER, CategoryRule

_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]+")


def _pattern(rule: CategoryRule) -> re.Pattern[str]:
    phrases = "|".join(map(re.escape, rule.phrases))
    return re.compile(rf"\b(?:{phrases})(?:s|es)?\b")


_PATTERNS: Final = tuple((_pattern(rule), rule) for rule in CATEGORY_RULES)


def categorise(description: str) -> CategoryRule:
    """Return the first rule that matches a description, or `OTHER`.

    Upper and lower case mean the same, and every sign that is no letter or digit is a space.

    >>> categorise("WHITE HANGING HEART T-LIGHT HOLDER").category
    'candle_holders_and_lanterns'
    """
    words = _NOT_A_WORD.sub(" ", description.lower())
    return next((rule for pattern, rule in _PATTERNS if pattern.search(words)), OTHER)
