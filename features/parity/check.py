"""Check the parity of validated data: training rows against snapshots."""

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
from features.runtime.text import escape_path, join_names

HINT: Final = "Name pooling.json of a bundle that was made with this catalogue."


class NotPoolingError(ArtefactError):
    """Refuse a file without the pooling parameters of the catalogue."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            problem=f"The pooling parameters in {escape_path(file)} can't be used: {reason}.",
            hint=HINT,
        )


class UnusableParametersError(ArtefactError):
    """Refuse pooling parameters that make features null: nothing would be compared."""

    def __init__(self, file: Path, names: Sequence[str]) -> None:
        super().__init__(
            problem=f"Pooling parameters must be finite, and strengths above 0. In "
            f"{escape_path(file)} these are not: {join_names(names, limit=5)}.",
            hint=HINT,
        )


@dataclass(frozen=True, kw_only=True)
class ParityRequest:
    """The data to check, and the rows to replay.

    `snapshot` replaces fresh snapshots, `pooling` the default pooling parameters.
    """

    data: Path
    horizons: Horizons
    sample: ReplaySample
    snapshot: Path | None = None
    pooling: Path | None = None


def check_parity(request: ParityRequest, progress: ProgressCallback) -> Parity:
    """Replay the requested training rows and compare them.

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
        parameters = TypeAdapter(dict[str, float]).validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise NotPoolingError(file, "there is no such file") from error
    except ValidationError as error:
        raise NotPoolingError(file, "it is not a JSON object of numbers") from error
    if set(parameters) != set(CATALOGUE.parameters):
        expected = len(CATALOGUE.parameters)
        reason = f"its {len(parameters)} names are not the {expected} of the catalogue"
        raise NotPoolingError(file, reason)
    unusable = [name for name, value in parameters.items() if not _is_usable(name, value)]
    if unusable:
        raise UnusableParametersError(file, unusable)
    return parameters


def _is_usable(name: str, value: float) -> bool:
    return math.isfinite(value) and (value > 0 or not is_strength(name))
