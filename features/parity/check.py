"""The parity of validated data: what to replay, through what, with which parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.declarations.shrinkage import is_strength
from features.online.store import snapshot_directory
from features.parity.compare import Parity, default_parameters
from features.parity.replay import replay, replay_snapshot
from features.parity.sample import ReplaySample
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import build_stored_rows
from features.runtime.errors import ArtefactError
from features.runtime.progress import ProgressCallback
from features.runtime.text import escape, join_names

WAY_OUT: Final = "Name pooling.json of a bundle that was made with this catalogue."


class NotPoolingError(ArtefactError):
    """Refuse pooling parameters that the catalogue's rates can't use."""

    def __init__(self, file: Path, found: str) -> None:
        super().__init__(
            expected=f"the {len(CATALOGUE.parameters)} pooling parameters in {escape(file.name)}",
            found=found,
            way_out=WAY_OUT,
        )


class UnusableParametersError(ArtefactError):
    """Refuse pooling parameters under which features are null: parity would hold of nothing."""

    def __init__(self, file: Path, names: Sequence[str]) -> None:
        super().__init__(
            expected=f"finite pooling parameters, strengths above 0, in {escape(file.name)}",
            found=f"others under {join_names(names, limit=5)}",
            way_out=WAY_OUT,
        )


@dataclass(frozen=True, kw_only=True)
class ParityRequest:
    """The data to replay rows of, how many, and what is to be asked in place of fresh snapshots."""

    data: Path
    horizons: Horizons
    sample: ReplaySample
    snapshot: Path | None = None
    pooling: Path | None = None


def check_parity(request: ParityRequest, progress: ProgressCallback) -> Parity:
    """Replay training rows as a check asks for it.

    Raises:
        XuanpinError: the data, the snapshot or the parameters can't be used.
    """
    dataset = open_dataset(request.data)
    parameters = _parameters(request.pooling)
    progress("signals", 0)
    signals = build_stored_rows(ensure_stock(dataset, request.horizons), request.horizons)
    if request.snapshot is None:
        return replay(signals, CATALOGUE, parameters, request.sample, progress=progress)
    directory = snapshot_directory(request.snapshot)
    return replay_snapshot(signals, CATALOGUE, parameters, request.sample, directory=directory)


def _parameters(file: Path | None) -> Mapping[str, float]:
    if file is None:
        return default_parameters(CATALOGUE)
    try:
        found = TypeAdapter(dict[str, float]).validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise NotPoolingError(file, "no such file") from error
    except ValidationError as error:
        raise NotPoolingError(file, "other content") from error
    if set(found) != set(CATALOGUE.parameters):
        raise NotPoolingError(file, f"{len(found)} of other names")
    unusable = [name for name, value in found.items() if not _is_usable(name, value)]
    if unusable:
        raise UnusableParametersError(file, unusable)
    return found


def _is_usable(name: str, value: float) -> bool:
    return math.isfinite(value) and (value > 0 or not is_strength(name))
