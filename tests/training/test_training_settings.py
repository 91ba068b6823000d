from __future__ import annotations

import pytest
from pydantic import ValidationError

from features.declarations import Target
from training.settings import TrainingSettings


@pytest.mark.parametrize(
    "values",
    [
        {"tres": 100},
        {"trees": 0},
        {"leaves": 1},
        {"latest_days": 0},
        {"interval_level": 1.0},
        {"sell_through_threshold": 0.0},
        {"feature_share": 1.5},
        {"random_state": -1},
    ],
)
def test_training_settings_refuse_unknown_keys_and_values_out_of_range(
    values: dict[str, float],
) -> None:
    with pytest.raises(ValidationError, match=next(iter(values))):
        TrainingSettings.model_validate(values)


@pytest.mark.parametrize(("target", "expected"), [("sell_through", 0.4), ("return_risk", 0.3)])
def test_training_settings_threshold_is_the_targets_own(target: Target, expected: float) -> None:
    settings = TrainingSettings(sell_through_threshold=0.4, return_risk_threshold=0.3)
    assert settings.threshold(target) == expected
