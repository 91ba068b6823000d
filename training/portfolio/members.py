"""Declare the members of the portfolio: boosters that differ in encoding and capacity.

Why these: docs/decisions/capacity-of-estimators.md and docs/decisions/encodings-of-categories.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, Self

Encoding = Literal["rates", "effects", "effects_and_codes", "ordered"]
"""How a member sees categories, and the shares that its trees start from.

`rates`: shrunken means of each column, out of fold; trees start from the rate of the groups.
`effects`: effects of all columns together, out of fold; trees start from their sum.
`effects_and_codes`: the same, beside the codes as categories of LightGBM.
`ordered`: means of the rows before each row, in a random order, of columns and of pairs of columns;
trees start from the mean."""

ENCODINGS: Final = frozenset[Encoding](("rates", "effects", "effects_and_codes", "ordered"))
ENCODINGS_OF_UNSEEN_LEVELS: Final = frozenset[Encoding](("rates", "effects"))
"""Encodings for rows of levels that aren't in fit. The others show a level to trees beside columns
that give the level away, such as a maker beside its sizes, and mislead where it is unseen."""

CHECKPOINTS: Final = (0, 25, 50, 100, 200, 400)
"""Numbers of trees that are compared; without a tree, a member is what its trees start from."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One setting of the boosters."""

    encoding: Encoding
    leaves: int
    learning_rate: float
    min_samples_leaf: int = 10
    leaf_ridge: float = 5.0
    """LightGBM's lambda_l2, in rows of mean weight."""
    trees: int | None = None
    """None: chosen among `CHECKPOINTS`."""

    def fix(
        self,
        *,
        trees: int | None,
        leaves: int | None,
        learning_rate: float | None,
        min_samples_leaf: int | None,
        leaf_ridge: float | None,
    ) -> Self:
        """Return the member with the values that aren't None."""
        return replace(
            self,
            trees=self.trees if trees is None else trees,
            leaves=self.leaves if leaves is None else leaves,
            learning_rate=self.learning_rate if learning_rate is None else learning_rate,
            min_samples_leaf=(
                self.min_samples_leaf if min_samples_leaf is None else min_samples_leaf
            ),
            leaf_ridge=self.leaf_ridge if leaf_ridge is None else leaf_ridge,
        )


SINGLE: Final = Member(encoding="rates", leaves=15, learning_rate=0.04, trees=200)
"""The member that is taken without validation."""

PORTFOLIO: Final = (
    Member(encoding="rates", leaves=15, learning_rate=0.06),
    Member(encoding="rates", leaves=6, learning_rate=0.1, leaf_ridge=20.0),
    Member(encoding="effects", leaves=6, learning_rate=0.1),
    Member(encoding="effects_and_codes", leaves=15, learning_rate=0.06),
    Member(encoding="ordered", leaves=31, learning_rate=0.1),
)
"""The members that validation chooses from; of equals the first one is taken."""
