"""Compare training rows with the same rows replayed online: parity means equal bits.

Any difference is train-serve skew. The training path is the interpreter over the spine; the online
path is that of a request: resolve keys in the snapshot, look up, compute derived features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.declarations.kinds import FeatureDeclaration, FeatureFamily
from features.declarations.shrinkage import is_strength
from features.online.lookup_keys import build_lookup_keys, resolve_subjects
from features.online.snapshot import OnlineSnapshot
from features.runtime.arrays import FloatArray

UlpArray = npt.NDArray[np.uint64]
_SIGN: Final = np.uint64(1 << 63)


def ulp_distance(first: FloatArray, second: FloatArray) -> UlpArray:
    """Return the number of floats from one value to the other; 0 means equal bits.

    All nulls (NaN) are equal and lie beyond infinity, so null is far from every value; 0.0 and -0.0
    are one step apart.
    """
    a, b = _ordinal(first), _ordinal(second)
    return np.where(a > b, a - b, b - a)


def _ordinal(values: FloatArray) -> UlpArray:
    """Return the position of each value among all floats in order."""
    bits = np.where(np.isnan(values), np.nan, values).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


DEFAULT_MEAN: Final = 0.3
DEFAULT_STRENGTH: Final = 20.0
DEFAULT_EFFECT: Final = 1.0
"""Pooling parameters if none are given: parity holds for all parameters or for none."""


class ReplayRequest(NamedTuple):
    """The keys that a request would give for a training row."""

    product_id: str
    market: str
    listing_id: str | None
    category: str | None = None
    supplier_id: str | None = None
    creator_id: str | None = None


@dataclass(frozen=True)
class Difference:
    """The difference of one model input between the two paths."""

    feature: str
    family: FeatureFamily
    rows: int
    """Rows with other bits."""
    bits: int
    """The largest distance in floats (`ulp_distance`)."""
    value: float | None
    """The largest difference of values; None if one of the two is null."""


@dataclass(frozen=True)
class Parity:
    """The comparison of sampled training rows with the online path, by model input."""

    rows: int
    moments: tuple[str, ...]
    features: tuple[Difference, ...]

    @property
    def different(self) -> tuple[Difference, ...]:
        """Return the inputs that differ, the worst first."""
        different = [difference for difference in self.features if difference.bits]
        return tuple(sorted(different, key=lambda item: (-item.rows, -item.bits, item.feature)))


def training_values(
    catalogue: Catalogue, rows: pa.Table, parameters: Mapping[str, float]
) -> FloatArray:
    """Return each declaration's values in training rows, shape (rows, declarations)."""
    names = [declared.name for declared in (*catalogue.request_fields, *catalogue.base)]
    return catalogue.value_matrix({name: _floats(rows, name) for name in names}, parameters)


def serving_values(
    catalogue: Catalogue,
    rows: pa.Table,
    parameters: Mapping[str, float],
    snapshot: OnlineSnapshot,
) -> FloatArray:
    """Return the values of the same rows, replayed as requests.

    A request takes the row's product, market, listing and request fields; everything else comes
    from the snapshot.
    """
    names = ("product_id", "market", "listing_id")
    columns = (rows[name].to_pylist() for name in names)
    requests = [ReplayRequest(*keys) for keys in zip(*columns, strict=True)]
    result = snapshot.look_up(build_lookup_keys(resolve_subjects(snapshot, requests)))
    requested = {field.name: _floats(rows, field.name) for field in catalogue.request_fields}
    return catalogue.value_matrix(result.columns.with_columns(requested), parameters)


def compare(
    catalogue: Catalogue, trained: Sequence[FloatArray], served: Sequence[FloatArray]
) -> tuple[Difference, ...]:
    """Compare the matrices of the two paths, one a moment, declaration by declaration."""
    training, serving = np.concatenate(trained), np.concatenate(served)
    distances = ulp_distance(training, serving)
    return tuple(
        _difference(declared, distances[:, column], training[:, column] - serving[:, column])
        for column, declared in enumerate(catalogue.declarations)
    )


def default_parameters(catalogue: Catalogue) -> dict[str, float]:
    """Return pooling parameters for a comparison without a bundle's own."""
    return {name: _default_parameter(name) for name in catalogue.parameters}


def _default_parameter(name: str) -> float:
    if is_strength(name):
        return DEFAULT_STRENGTH
    return DEFAULT_EFFECT if "_effect" in name else DEFAULT_MEAN


def _difference(
    declared: FeatureDeclaration, distances: UlpArray, gap: npt.NDArray[np.float64]
) -> Difference:
    is_different = distances > 0
    largest = float(np.max(np.abs(gap[is_different]), initial=0.0))
    return Difference(
        feature=declared.name,
        family=declared.family,
        rows=int(is_different.sum()),
        bits=int(distances.max(initial=0)),
        value=largest if np.isfinite(largest) else None,
    )


def _floats(rows: pa.Table, name: str) -> FloatArray:
    values: FloatArray = rows[name].cast(pa.float64()).to_numpy()
    return values
