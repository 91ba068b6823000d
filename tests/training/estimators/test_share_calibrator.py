"""The calibration curve of an estimator is fitted on enough rows or not at all."""

from __future__ import annotations

import numpy as np

from training.estimators.share_calibrator import (
    MIN_CURVE_FIT_ROWS,
    HoldoutRows,
    RawShares,
    ShareCalibrator,
)
from training.shrinkage.variance_components import Variances

NEW = RawShares(np.linspace(0.2, 0.8, 7), np.zeros(7, np.bool_))


def _fit(rows: int) -> ShareCalibrator:
    """Calibrate a model whose raw shares are half as much again as the labels."""
    rng = np.random.default_rng(0)
    share = rng.uniform(0.1, 0.6, rows)
    raw = RawShares(share * 1.5, np.zeros(rows, np.bool_))
    held = HoldoutRows(raw=raw, share=share, trials=np.ones(rows), clusters=np.arange(rows))
    return ShareCalibrator.fit(held, Variances(1.0, 0.0, ()), rng)


def test_few_rows_leave_estimates_unchanged_with_a_note() -> None:
    calibrator = _fit(2 * MIN_CURVE_FIT_ROWS - 1)
    assert calibrator.estimate(NEW).tolist() == NEW.share.tolist()
    (note,) = calibrator.notes
    assert note == (
        "Estimates aren't calibrated: 1,999 rows were held back; 2,000 are needed, half of them "
        "for the curve and half for the intervals."
    )


def test_enough_rows_calibrate_estimates_without_a_note() -> None:
    calibrator = _fit(2 * MIN_CURVE_FIT_ROWS)
    np.testing.assert_allclose(calibrator.estimate(NEW), NEW.share / 1.5, atol=0.02)
    assert calibrator.notes == ()
