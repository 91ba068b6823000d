from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from features.declarations.targets import Target
from features.runtime.errors import SettingsError
from features.runtime.settings import load_section
from training.settings import TrainingSettings


@pytest.mark.parametrize(
    "values",
    [
        {"tres": 100},
        {"trees": 0},
        {"leaves": 1},
        {"latest_days": 0},
        {"interval_coverage": 1.0},
        {"sell_through_threshold": 0.0},
        {"feature_share": 1.5},
        {"random_state": -1},
        {"min_samples_leaf": 3_000_000_000},
        {"min_rows": 3_000_000_000},
        {"min_positives": 3_000_000_000},
        {"leaf_ridge": 1e7},
    ],
)
def test_training_settings_refuse_unknown_keys_and_values_out_of_range(
    values: dict[str, float],
) -> None:
    with pytest.raises(ValidationError, match=next(iter(values))):
        TrainingSettings.model_validate(values)


NUMBERS = [
    name
    for name, field in TrainingSettings.model_fields.items()
    if field.annotation in {int, float}
]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [float("inf"), float("nan"), -float("inf"), 10**400])
def test_training_settings_refuse_what_is_no_finite_number(value: float, name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        TrainingSettings.model_validate({name: value})


@pytest.mark.parametrize(
    ("key", "value"), [("min_samples_leaf", "3000000000"), ("leaf_ridge", "inf")]
)
def test_settings_beyond_the_boosters_library_end_with_exit_code_2(
    key: str, value: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"[training]\n{key} = {value}\n")
    with pytest.raises(
        SettingsError, match=f"The setting training.{key} in .* should be "
    ) as refusal:
        load_section(TrainingSettings, "training", file)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize(("target", "expected"), [("sell_through", 0.4), ("return_risk", 0.3)])
def test_training_settings_threshold_is_the_targets_own(target: Target, expected: float) -> None:
    settings = TrainingSettings(sell_through_threshold=0.4, return_risk_threshold=0.3)
    assert settings.threshold(target) == expected
