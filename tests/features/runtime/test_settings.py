"""Settings: flags over environment over file over defaults, and no unknown names."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.dataset.horizons import Horizons
from features.runtime.errors import SettingsError
from features.runtime.settings import load_section
from serving.api.settings import ServingSettings
from training.settings import TrainingSettings


class Example(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(default=1, ge=1)
    name: str = "default"
    weights: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _refuse_seven(self) -> Example:
        if self.size == 7:
            message = "another number than 7"
            raise ValueError(message)
        return self


class Needy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Path


def set_all(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def toml(directory: Path, text: str | None) -> Path | None:
    if text is None:
        return None
    file = directory / "xuanpin.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "environment", "flags", "expected"),
    [
        (None, {}, {}, Example()),
        ("", {}, {}, Example()),
        ("[training]\nsize = 3\n[horizons]\nhorizon_days = 14", {}, {}, Example(size=3)),
        ("[training]\nsize = 3", {"XUANPIN_TRAINING__SIZE": "4"}, {}, Example(size=4)),
        ("[training]\nsize = 3", {"XUANPIN_TRAINING__SIZE": "4"}, {"size": 5}, Example(size=5)),
        ("[training]\nsize = 3", {}, {"size": None, "name": "flag"}, Example(size=3, name="flag")),
        (
            "[training]\nsize = 3\nweights = [1]",
            {"xuanpin_training__name": "lower", "XUANPIN_TRAINING__WEIGHTS": "[2, 3]"},
            {},
            Example(size=3, name="lower", weights=(2, 3)),
        ),
        (None, {"XUANPIN_SERVING__RUN": "runs/1", "XUANPINE": "another's"}, {}, Example()),
        ("\ufeff[training]\nsize = 3", {}, {}, Example(size=3)),
    ],
)
def test_settings_come_from_the_nearest_source(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    environment: dict[str, str],
    flags: dict[str, object],
    expected: Example,
) -> None:
    set_all(monkeypatch, environment)
    assert load_section(Example, "training", toml(tmp_path, text), flags) == expected


@pytest.mark.parametrize(
    ("text", "environment", "flags", "message"),
    [
        (
            "[training]\nsiez = 3",
            {},
            {},
            "[training] of xuanpin.toml is unknown. Known settings: name, size, weights. Did",
        ),
        (
            "[trainin]\nsize = 3",
            {},
            {},
            "is unknown. Known settings: [horizons], [serving], [training]. Did you mean",
        ),
        ("colour = 3", {}, {}, "[training]. Remove it or correct its name."),
        (
            "size = 3",
            {},
            {},
            "size in xuanpin.toml, above all sections, belongs to the section [training].",
        ),
        (
            "[horizons]\nsize = 3",
            {},
            {},
            "The setting size in [horizons] of xuanpin.toml belongs to the section [training].",
        ),
        ("training = 3", {}, {}, "[training]. Did you mean [training]?"),
        ("[training", {}, {}, "it isn't TOML (Expected ']' at the end of a table declaration"),
        (
            None,
            {"XUANPIN_TRAINING__SIEZ": "3"},
            {},
            "The setting siez in the environment as XUANPIN_TRAINING__SIEZ is unknown.",
        ),
        (
            None,
            {"XUANPIN_TRAINING_SIZE": "3"},
            {},
            (
                "XUANPIN_TRAINING_SIZE in the environment is unknown. Known settings: "
                "XUANPIN_TRAINING__SIZE. Did you mean XUANPIN_TRAINING__SIZE?"
            ),
        ),
        (
            None,
            {"XUANPIN_TRAINING": '{"size": 3}'},
            {},
            "XUANPIN_TRAINING in the environment is unknown.",
        ),
        (None, {"XUANPIN_SERVNG__PORT": "1"}, {}, "Did you mean XUANPIN_SERVING__…?"),
        (None, {"XUANPIN_HORIZON__SIZE": "1"}, {}, "Did you mean XUANPIN_HORIZONS__…?"),
        (
            None,
            {"XUANPIN_TRAIN__SIZE": "3"},
            {},
            "XUANPIN_TRAIN__SIZE in the environment is",
        ),
        (
            "[training]\nsize = 0",
            {},
            {},
            "training.size in [training] of xuanpin.toml should be greater than or equal to 1.",
        ),
        (
            "[training]\nsize = 'secret'",
            {},
            {},
            "The setting training.size in [training] of xuanpin.toml should be a valid integer.",
        ),
        (
            None,
            {"XUANPIN_TRAINING__SIZE": "0"},
            {},
            "training.size in the environment as XUANPIN_TRAINING__SIZE should be",
        ),
        (
            None,
            {"XUANPIN_TRAINING__WEIGHTS": "1,2"},
            {},
            "The setting training in the environment should be valid JSON where it is a list.",
        ),
        (
            None,
            {"XUANPIN_TRAINING__SIZE": "2"},
            {"size": 0},
            "The setting training.size in the flag --size should be",
        ),
        ("[training]\nsize = 7", {}, {}, "xuanpin.toml should be another number than 7."),
    ],
)
def test_settings_that_are_wrong_name_the_key_and_the_place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    environment: dict[str, str],
    flags: dict[str, object],
    message: str,
) -> None:
    set_all(monkeypatch, environment)
    with pytest.raises(SettingsError) as caught:
        load_section(Example, "training", toml(tmp_path, text), flags)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 2


SERVICE_LINKS = {
    "SERVICE_HOST": "10.0.0.1",
    "SERVICE_PORT": "3000",
    "SERVICE_PORT_HTTP": "3000",
    "PORT": "tcp://10.0.0.1:3000",
    "PORT_3000_TCP": "tcp://10.0.0.1:3000",
    "PORT_3000_TCP_PROTO": "tcp",
    "PORT_3000_TCP_PORT": "3000",
    "PORT_3000_TCP_ADDR": "fd00::1",
    "PORT_53_UDP": "udp://[fd00::1]:53",
}


@pytest.mark.parametrize("service", ["XUANPIN", "XUANPIN_SERVING", "XUANPIN_TRAINING"])
def test_variables_of_a_kubernetes_service_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    set_all(monkeypatch, {f"{service}_{link}": value for link, value in SERVICE_LINKS.items()})
    assert load_section(ServingSettings, "serving", None) == ServingSettings()
    assert load_section(Example, "training", None) == Example()


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("XUANPIN_TRAINING_TRACKING_URI", "http://mlflow:5000", "XUANPIN_TRAINING__TRACKING_URI"),
        ("XUANPIN_TRAINING_TRACKING_URI", "tcp://10.0.0.1", "XUANPIN_TRAINING__TRACKING_URI"),
        ("XUANPIN_TRAINING_TRACKING_URI", "", "XUANPIN_TRAINING__TRACKING_URI"),
        ("XUANPIN_TRACKING_URI", "http://mlflow:5000", "XUANPIN_TRAINING__TRACKING_URI"),
        ("xuanpin_training_trees", "3", "XUANPIN_TRAINING__TREES"),
        ("XUANPIN_HORIZON_DAYS", "7", "XUANPIN_HORIZONS__…"),
        ("XUANPIN_HORIZONS_HORIZON_DAYS", "7", "XUANPIN_HORIZONS__…"),
        ("XUANPIN_SERVING_PORT", "8080", "XUANPIN_SERVING__…"),
        ("XUANPIN_SERVING_PORT", "http://10.0.0.1:3000", "XUANPIN_SERVING__…"),
        ("XUANPIN_SERVING", "{}", "XUANPIN_SERVING__…"),
        ("XUANPIN_SERVICE_HOST", "localhost", "XUANPIN_SERVING__…"),
    ],
)
def test_variable_that_nobody_reads_is_refused_in_every_section(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, meant: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_section(TrainingSettings, "training", None)
    assert caught.value.problem.startswith(f"The setting {name} in the environment is unknown.")
    assert caught.value.hint == f"Did you mean {meant}?"


def test_host_name_is_refused_with_an_example_of_an_address() -> None:
    with pytest.raises(SettingsError, match=r"should be an IP address such as 127\.0\.0\.1\."):
        load_section(ServingSettings, "serving", None, {"host": "localhost"})


def test_no_key_belongs_to_two_sections() -> None:
    keys = [*Horizons.model_fields, *TrainingSettings.model_fields, *ServingSettings.model_fields]
    assert len(keys) == len(set(keys))


def test_setting_without_a_value_and_a_default_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"serving\.run has no value.*XUANPIN_SERVING__RUN"):
        load_section(Needy, "serving", None)


def test_settings_of_the_horizons_can_be_set(tmp_path: Path) -> None:
    file = toml(tmp_path, "[horizons]\nhorizon_days = 14")
    assert load_section(Horizons, "horizons", file) == Horizons(horizon_days=14)
