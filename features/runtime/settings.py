"""Load settings from flags, the environment, a TOML file and defaults, in this order of priority.

A setting belongs to a section: `[horizons] horizon_days = 14` in the file is
`XUANPIN_HORIZONS__HORIZON_DAYS=14` in the environment. An unknown name is an error, so that a
misspelt setting can't leave the default in force.
"""

from __future__ import annotations

import os
import tomllib
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
    TomlConfigSettingsSource,
)

from features.runtime.errors import SettingsError
from features.runtime.text import closest_match, escape, escape_path, join_names

SECTIONS: Final = ("horizons", "training", "serving")
PREFIX: Final = "XUANPIN_"
DELIMITER: Final = "__"
SHOULD_BE: Final = "Input should be "
"""The beginning of most messages of pydantic."""
VALUE_ERROR: Final = "Value error, "
"""How it begins those of our validators, which say what a value should be."""

M = TypeVar("M", bound=BaseModel)


class UnreadableSettingsError(SettingsError):
    """Refuse a settings file that doesn't exist or isn't TOML."""

    def __init__(self, file: Path, detail: str) -> None:
        super().__init__(
            problem=f"The settings file {escape_path(file)} can't be read: {detail}.",
            hint="Write a TOML file with sections such as [horizons] and lines such as "
            "horizon_days = 28.",
        )


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
    if file is not None:
        _refuse_unknown_sections(file)
    _refuse_unknown_variables(os.environ)
    sources = _SettingSources(section, file, given)
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
            if sources.file is None:
                return flags, env_settings
            return flags, env_settings, TomlConfigSettingsSource(settings_cls, sources.file)

    fields: dict[str, Any] = {sources.section: (model, Field())}
    return create_model("Layers", __base__=Layers, **fields)


def _refuse_unknown_sections(file: Path) -> None:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnreadableSettingsError(file, "there is no such file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableSettingsError(file, f"it isn't TOML ({error})") from error
    for name, section in content.items():
        if name not in SECTIONS or not isinstance(section, dict):
            sections = [f"[{known}]" for known in SECTIONS]
            raise UnknownSettingError(name, file.name, sections)


def _refuse_unknown_variables(environment: Iterable[str]) -> None:
    prefixes = tuple(_variable(section, "") for section in SECTIONS)
    for name in environment:
        if name.upper().startswith(PREFIX) and not name.upper().startswith(prefixes):
            raise UnknownSettingError(name, "the environment", [f"{start}…" for start in prefixes])


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
