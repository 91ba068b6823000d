"""Boosters kept as they are fitted: a process that is killed loses only the fits under way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from features.runtime.atomic import replace_file
from training.boosting.fit_boosters import BoosterFit
from training.checkpoints.checkpoints import STAGES, Checkpoints


@dataclass(frozen=True)
class BoosterCheckpoints:
    """Fits each booster once: a `BoosterFitter` over the checkpoints of a run."""

    checkpoints: Checkpoints
    reused: set[str] = field(default_factory=set, init=False)
    """Names of the boosters that were there already."""

    def __call__(self, name: str, fit: BoosterFit, seed: int) -> str:
        """Return the text of a booster, fitted now or by an earlier process.

        Raises:
            StorageError: the disk refuses.
        """
        stage = f"booster_{name}"
        path = self.checkpoints.run / STAGES / f"{stage}.txt"
        facts = {**_fit_facts(fit), "seed": seed}
        reached = self.checkpoints.run_stage(
            stage, facts, path, lambda: _write(path, fit.fit(seed))
        )
        if reached.is_reused:
            self.reused.add(name)
        return path.read_bytes().decode()


def _write(path: Path, text: str) -> None:
    replace_file(path, text.encode())


def _fit_facts(fit: BoosterFit) -> dict[str, object]:
    """Return every field of a fit, arrays by digest: what is added to it changes the key too."""
    values = {one.name: getattr(fit, one.name) for one in fields(fit)}
    return {
        name: _digest(value) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def _digest(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}\n".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
