"""Collect what the record of a training holds: parameters, facts and metrics by name."""

from __future__ import annotations

from dataclasses import asdict

from serving.bundle.bundle import BundleContents
from training.data.training_input import TrainingRecipe
from training.evaluation.evaluate import Evaluation
from training.evaluation.judge import MODEL


def metrics_by_slice(evaluation: Evaluation) -> dict[str, float]:
    """Return the model's metrics for each part of the latest slice, as `part/metric`."""
    parts = {"latest": evaluation.overall[MODEL]}
    parts |= {name: metrics[MODEL] for name, metrics in evaluation.by_group.items()}
    return {
        f"{part}/{metric}": float(value)
        for part, metrics in parts.items()
        for metric, value in asdict(metrics).items()
    }


def flatten_settings(recipe: TrainingRecipe) -> dict[str, object]:
    """Return settings, trials and horizons by dotted name, without the tracking URI.

    A tracking URI may hold a password.
    """
    training = recipe.settings.model_dump(exclude={"tracking_uri"})
    return {
        "tuning.trials": recipe.trials,
        **{f"training.{name}": value for name, value in training.items()},
        **{f"horizons.{name}": value for name, value in recipe.horizons.model_dump().items()},
    }


def training_facts(contents: BundleContents, bundle_id: str) -> dict[str, object]:
    """Return what a training depended on and what it made, by name."""
    return {
        "dataset_digest": contents.data_digest,
        "catalogue_fingerprint": contents.models.catalogue.fingerprint,
        "cut_off_day": contents.cut_off_day,
        "imputed": ", ".join(contents.imputed) or "nothing",
        "git_commit": contents.git_commit,
        "bundle_id": bundle_id,
    }
