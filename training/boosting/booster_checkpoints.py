"""Keep each booster as it is fitted, so that a killed process loses only unfinished fits."""

from __future__ import annotations

from dataclasses import dataclass, field

from features.runtime.atomic import replace_file
from training.boosting.booster_fit import BinnedFit
from training.checkpoints.checkpoints import STAGES, Checkpoints


@dataclass(frozen=True)
class BoosterCheckpoints:
    """A `BoosterFitter` that fits each booster once and keeps it in the checkpoints of a run."""

    checkpoints: Checkpoints
    reused: set[str] = field(default_factory=set, init=False)
    """Names of the boosters that an earlier process fitted."""

    def __call__(self, name: str, fit: BinnedFit, seed: int) -> str:
        """Return the text of a booster that is fitted now or was fitted by an earlier process.

        Raises:
            StorageError: the disk can't be read or written.
        """
        stage = f"booster_{name}"
        path = self.checkpoints.run / STAGES / f"{stage}.txt"
        facts = {**fit.facts, "seed": seed}
        result = self.checkpoints.run_stage(
            stage, facts, path, lambda: replace_file(path, fit.fit(seed).encode())
        )
        if result.is_reused:
            self.reused.add(name)
        return path.read_bytes().decode()
