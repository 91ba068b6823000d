"""The curve of calibration is learned from enough rows or not at all."""

from __future__ import annotations

import numpy as np

from training.estimators.conformal_fit import (
    MIN_CURVE_FIT_ROWS,
    HoldoutRows,
    RawShares,
    ShareFinish,
    learn_share_finish,
)
from training.shrinkage.variance_components import Variances

ASKED = RawShares(np.linspace(0.2, 0.8, 7), np.zeros(7, np.bool_))


def _finish(rows: int) -> ShareFinish:
    """Finish a model that says half as much again as is true."""
    rng = np.random.default_rng(0)
    share = rng.uniform(0.1, 0.6, rows)
    raw = RawShares(share * 1.5, np.zeros(rows, np.bool_))
    held = HoldoutRows(raw=raw, share=share, trials=np.ones(rows), clusters=np.arange(rows))
    return learn_share_finish(held, Variances(1.0, 0.0, ()), rng)


def test_few_rows_leave_estimates_as_they_are_and_it_is_noted() -> None:
    finish = _finish(2 * MIN_CURVE_FIT_ROWS - 1)
    assert finish.estimate(ASKED).tolist() == ASKED.share.tolist()
    (note,) = finish.notes
    assert note == (
        "Estimates aren't calibrated: 1,999 rows were held back; 2,000 are needed, half of them "
        "for the curve and half for the intervals."
    )


def test_enough_rows_calibrate_estimates_and_nothing_is_noted() -> None:
    finish = _finish(2 * MIN_CURVE_FIT_ROWS)
    np.testing.assert_allclose(finish.estimate(ASKED), ASKED.share / 1.5, atol=0.02)
    assert finish.notes == ()
