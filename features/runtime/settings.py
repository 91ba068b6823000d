"""Load settings from flags, the environment, a TOML file and defaults, in this order of priority.

A setting belongs to a section: `[horizons] horizon_days = 14` in the file is
`XUANPIN_HORIZONS__HORIZON_DAYS=14` in the environment. An unknown name is an error, so that a
misspelt setting can't leave the default in force. Only names with `__` are settings: Kubernetes
describes a Service named `xuanpin` in variables such as `XUANPIN_SERVICE_HOST`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pydantic_settings
from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from features.runtime.errors import SettingsError
from features.runtime.text import closest_match, escape, join_names
from features.runtime.toml_file import read_toml

SECTIONS: Final = ("horizons", "training", "serving")
PREFIX: Final = "XUANPIN_"
DELIMITER: Final = "__"
SHOULD_BE: Final = "Input should be "
"""The beginning of most messages of pydantic."""
VALUE_ERROR: Final = "Value error, "
"""How it begins those of our validators, which say what a value should be."""

M = TypeVar("M", bound=BaseModel)


class UnknownSettingError(SettingsError):
    """Refuse an unknown setting, and name the most similar known one."""

    def __init__(self, name: str, location: str, allowed: Iterable[str]) -> None:
        names = sorted(allowed)
        similar = closest_match(name, names)
        super().__init__(
            problem=f"The setting {escape(name)} in {location} is unknown. Known settings: "
            f"{join_names(names, limit=len(names))}.",
            hint=f"Did you mean {similar}?" if similar else "Remove it or correct its name.",
        )


class MisplacedSettingError(SettingsError):
    """Refuse a setting that belongs to another section than the one where it stands."""

    def __init__(self, key: str, location: str, section: str) -> None:
        super().__init__(
            problem=f"The setting {key} in {location} belongs to the section [{section}].",
            hint=f"Write it under [{section}] in the file, or set {_variable(section, key)}.",
        )


class InvalidSettingError(SettingsError):
    """Refuse an invalid value of a setting; the value isn't shown, because it may be a secret."""

    def __init__(self, name: str, location: str, should_be: str) -> None:
        super().__init__(
            problem=f"The setting {name} in {location} should be {should_be}.",
            hint="Correct it, or remove it to use the default.",
        )


class MissingSettingError(SettingsError):
    """Ask for a setting without a default."""

    def __init__(self, section: str, key: str) -> None:
        super().__init__(
            problem=f"The setting {section}.{key} has no value and no default.",
            hint=f"Write it under [{section}] in the file, or set {_variable(section, key)}.",
        )


@dataclass(frozen=True)
class _SettingSources:
    """The possible locations of a section's settings, to name the location of one of them."""

    section: str
    file: Path | None
    content: Mapping[str, Any]
    """The sections of the file."""
    flags: Mapping[str, object]

    def locate(self, key: str) -> str:
        variable = _variable(self.section, key)
        if key in self.flags:
            return f"the flag --{key.replace('_', '-')}"
        if any(name.upper().startswith(variable) for name in os.environ):
            return f"the environment as {variable}"
        return f"[{self.section}] of {self.file.name if self.file else 'no file'}"


def load_section(
    model: type[M], section: str, file: Path | None, flags: Mapping[str, object] | None = None
) -> M:
    """Return the settings of a section as `model`, a frozen model that forbids unknown keys.

    A flag with the value None counts as not given. The names of all sections are checked, in the
    file and in the environment; keys are checked in this section only.

    Raises:
        SettingsError: the file can't be read, a name is unknown or a value is invalid.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    content = {} if file is None else read_toml(file)
    if file is not None:
        _refuse_misplaced_keys(file, content, section, model)
        _refuse_unknown_sections(file, content)
    _refuse_unknown_variables(os.environ, section, model)
    sources = _SettingSources(section, file, content, given)
    try:
        loaded: M = getattr(_build_loader(model, sources)(), section)
    except ValidationError as error:
        raise _explain(error, model, sources) from error
    except pydantic_settings.SettingsError as error:
        should_be = "valid JSON where it is a list"
        raise InvalidSettingError(section, "the environment", should_be) from error
    return loaded


def _build_loader(model: type[BaseModel], sources: _SettingSources) -> type[BaseSettings]:
    """Return a settings class with the section as its only field and the sources in order."""

    class Layers(BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="ignore"
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' own signature
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' own signature
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' own signature
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            flags = InitSettingsSource(settings_cls, {sources.section: sources.flags})
            file = InitSettingsSource(settings_cls, dict(sources.content))
            return flags, env_settings, file

    fields: dict[str, Any] = {sources.section: (model, Field())}
    return create_model("Layers", __base__=Layers, **fields)


def _refuse_misplaced_keys(
    file: Path, content: Mapping[str, Any], section: str, model: type[BaseModel]
) -> None:
    """Refuse keys of this section that stand above all sections or in another one."""
    places = {f"{file.name}, above all sections,": content}
    places |= {
        f"[{name}] of {file.name}": content[name]
        for name in SECTIONS
        if name != section and isinstance(content.get(name), dict)
    }
    for place, keys in places.items():
        for key in model.model_fields:
            if key in keys:
                raise MisplacedSettingError(key, place, section)


def _refuse_unknown_sections(file: Path, content: Mapping[str, Any]) -> None:
    for name, section in content.items():
        if name not in SECTIONS or not isinstance(section, dict):
            sections = [f"[{known}]" for known in SECTIONS]
            raise UnknownSettingError(name, file.name, sections)


def _refuse_unknown_variables(
    environment: Mapping[str, str], section: str, model: type[BaseModel]
) -> None:
    prefixes = tuple(_variable(known, "") for known in SECTIONS)
    keys = {_variable(section, key) for key in model.model_fields}
    slips = {key.replace(DELIMITER, "_", 1): key for key in keys}
    for name, value in environment.items():
        upper = name.upper()
        if upper.startswith(PREFIX) and DELIMITER in upper and not upper.startswith(prefixes):
            raise UnknownSettingError(name, "the environment", [f"{start}…" for start in prefixes])
        # A link to a Service named `xuanpin-serving` has a URL: XUANPIN_SERVING_PORT=tcp://…
        if upper in slips and "://" not in value:
            raise UnknownSettingError(name, "the environment", [slips[upper]])
        if upper == f"{PREFIX}{section}".upper():
            raise UnknownSettingError(name, "the environment", keys)


def _variable(section: str, key: str) -> str:
    return f"{PREFIX}{section}{DELIMITER}{key}".upper()


def _explain(
    error: ValidationError, model: type[BaseModel], sources: _SettingSources
) -> SettingsError:
    """Return the first fault as an error that names the key and its location."""
    first = error.errors(include_input=False, include_url=False)[0]
    path = [str(part) for part in first["loc"][1:]]
    location = sources.locate(path[0] if path else "")
    if first["type"] == "extra_forbidden":
        return UnknownSettingError(".".join(path), location, model.model_fields)
    if first["type"] == "missing":
        return MissingSettingError(sources.section, ".".join(path))
    name = ".".join([sources.section, *path])
    return InvalidSettingError(name, location, _describe_valid(first["msg"]))


def _describe_valid(message: str) -> str:
    """Return what a value should be, by pydantic's message or a validator's own words."""
    if message.startswith(SHOULD_BE):
        return message.removeprefix(SHOULD_BE).split(",")[0]
    return message.removeprefix(VALUE_ERROR)
