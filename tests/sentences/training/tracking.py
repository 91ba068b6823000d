from __future__ import annotations

from features.runtime.errors import XuanpinError
from training.tracking.mlflow_run import TrackingError

URI = "http://someone:secret@tracking:5000"

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        TrackingError(URI, ValueError(f"no answer from {URI}")),
        (
            "The training can't be recorded at http://tracking:5000: no answer from "
            "http://tracking:5000. Start the tracking server, or unset MLFLOW_TRACKING_URI and "
            "tracking_uri to record in the run directory."
        ),
    ),
]
