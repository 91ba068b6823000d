"""Keep each booster as it is fitted, so that a killed process loses only unfinished fits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

import numpy as np

from features.runtime.atomic import replace_file
from training.boosting.fit_boosters import BoosterFit
from training.checkpoints.checkpoints import STAGES, Checkpoints


@dataclass(frozen=True)
class BoosterCheckpoints:
    """A `BoosterFitter` that fits each booster once and keeps it in the checkpoints of a run."""

    checkpoints: Checkpoints
    reused: set[str] = field(default_factory=set, init=False)
    """Names of the boosters that an earlier process fitted."""

    def __call__(self, name: str, fit: BoosterFit, seed: int) -> str:
        """Return the text of a booster that is fitted now or was fitted by an earlier process.

        Raises:
            StorageError: the disk can't be read or written.
        """
        stage = f"booster_{name}"
        path = self.checkpoints.run / STAGES / f"{stage}.txt"
        facts = {**_fit_facts(fit), "seed": seed}
        result = self.checkpoints.run_stage(
            stage, facts, path, lambda: replace_file(path, fit.fit(seed).encode())
        )
        if result.is_reused:
            self.reused.add(name)
        return path.read_bytes().decode()


def _fit_facts(fit: BoosterFit) -> dict[str, object]:
    """Return every field of a fit, arrays by digest; a field added later changes the key too."""
    values = {declared.name: getattr(fit, declared.name) for declared in fields(fit)}
    return {
        name: _digest(value) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def _digest(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}\n".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
