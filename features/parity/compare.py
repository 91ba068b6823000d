"""Parity: training rows, replayed through the online path, must be the same bits.

Its absence is train-serve skew. The training path is the interpreter over the spine; the online
path is what a request takes: keys resolved by the snapshot, look-up, derived features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.declarations.kinds import Feature, FeatureFamily, RequestField
from features.declarations.shrinkage import is_strength
from features.online.lookup_keys import build_lookup_keys, resolve_subjects
from features.online.snapshot import OnlineSnapshot
from features.runtime.arrays import FloatArray

UlpArray = npt.NDArray[np.uint64]
_SIGN: Final = np.uint64(1 << 63)


def ulp_distance(one: FloatArray, other: FloatArray) -> UlpArray:
    """Return how many floats lie from one value to the other: 0 means the same bits.

    Nulls (NaN) are all one and lie beyond infinity, so that null against a value is very far; 0.0
    and -0.0 are one step apart.
    """
    ours, theirs = _ordinal(one), _ordinal(other)
    return np.where(ours > theirs, ours - theirs, theirs - ours)


def _ordinal(values: FloatArray) -> UlpArray:
    """Return the position of each value among all floats in order."""
    bits = np.where(np.isnan(values), np.nan, values).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


DEFAULT_MEAN: Final = 0.3
DEFAULT_STRENGTH: Final = 20.0
DEFAULT_EFFECT: Final = 1.0
"""Pooling parameters where none are given: parity holds for any, or for none."""


class ReplayRequest(NamedTuple):
    """What a request would say of a training row."""

    product_id: str
    market: str
    listing_id: str | None
    category: str | None = None
    supplier_id: str | None = None
    creator_id: str | None = None


@dataclass(frozen=True)
class Difference:
    """How one model input differs between the two paths."""

    feature: str
    family: FeatureFamily
    rows: int
    """Rows whose bits differ."""
    bits: int
    """The largest number of floats from one value to the other."""
    value: float | None
    """The largest difference of values; None where one of them is null."""


@dataclass(frozen=True)
class Parity:
    """The comparison of sampled training rows with the online path, by model input."""

    rows: int
    moments: tuple[str, ...]
    features: tuple[Difference, ...]

    @property
    def different(self) -> tuple[Difference, ...]:
        """Return the model inputs that differ, the worst first."""
        found = (one for one in self.features if one.bits)
        return tuple(sorted(found, key=lambda one: (-one.rows, -one.bits, one.feature)))


def training_matrix(
    catalogue: Catalogue, rows: pa.Table, parameters: Mapping[str, float]
) -> FloatArray:
    """Return the design matrix of training rows, as training makes it."""
    names = [one.name for one in (*catalogue.request_fields, *catalogue.base)]
    return catalogue.design_matrix({name: _floats(rows, name) for name in names}, parameters)


def serving_matrix(
    catalogue: Catalogue,
    rows: pa.Table,
    parameters: Mapping[str, float],
    snapshot: OnlineSnapshot,
) -> FloatArray:
    """Return the design matrix of the same rows, asked for as requests.

    Of a row it takes product, market, listing and what the decision fixed; all else has to come
    out of the snapshot.
    """
    names = ("product_id", "market", "listing_id")
    asked = [ReplayRequest(*keys) for keys in zip(*(rows[name].to_pylist() for name in names))]  # noqa: B905 - columns of one table
    found = snapshot.look_up(build_lookup_keys(resolve_subjects(snapshot, asked)))
    requested = {one.name: _floats(rows, one.name) for one in catalogue.request_fields}
    return catalogue.design_matrix(found.columns.with_columns(requested), parameters)


def compare(
    catalogue: Catalogue, trained: Sequence[FloatArray], served: Sequence[FloatArray]
) -> tuple[Difference, ...]:
    """Compare matrices of the two paths, moment by moment, input by input."""
    ours, theirs = np.concatenate(trained), np.concatenate(served)
    steps = ulp_distance(ours, theirs)
    return tuple(
        _difference(one, steps[:, place], ours[:, place] - theirs[:, place])
        for place, one in enumerate((*catalogue.request_fields, *catalogue.features))
    )


def default_parameters(catalogue: Catalogue) -> dict[str, float]:
    """Return pooling parameters to compare with where no bundle's are given."""
    return {name: _default_parameter(name) for name in catalogue.parameters}


def _default_parameter(name: str) -> float:
    if is_strength(name):
        return DEFAULT_STRENGTH
    return DEFAULT_EFFECT if "_effect" in name else DEFAULT_MEAN


def _difference(
    one: RequestField | Feature, steps: UlpArray, gap: npt.NDArray[np.float64]
) -> Difference:
    is_other = steps > 0
    largest = float(np.max(np.abs(gap[is_other]), initial=0.0))
    return Difference(
        feature=one.name,
        family=one.family,
        rows=int(is_other.sum()),
        bits=int(steps.max(initial=0)),
        value=largest if np.isfinite(largest) else None,
    )


def _floats(rows: pa.Table, name: str) -> FloatArray:
    values: FloatArray = rows[name].cast(pa.float64()).to_numpy()
    return values
