"""What forked programs find imported and computed: see tests/worlds/processes.py."""

from __future__ import annotations

import mlflow.store.tracking.sqlalchemy_store
import optuna

import training.pipeline.main_job
import xuanpin
from features.catalogue.catalogue import CATALOGUE
from serving.scoring import loading
from training.checkpoints.code_version import code_version

__all__ = ["loading", "mlflow", "optuna", "training", "xuanpin"]

code_version()
assert CATALOGUE.fingerprint
