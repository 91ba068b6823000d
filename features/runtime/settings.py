"""Configuration: flags over environment over a TOML file over defaults.

A setting lives in a section: `[horizons] horizon_days = 14` in the file is
`XUANPIN_HORIZONS__HORIZON_DAYS=14` in the environment. A name that nobody reads is an error: a
misspelt setting must not leave the default in force.
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
from features.runtime.text import closest_match, escape, join_names

SECTIONS: Final = ("horizons", "training", "serving")
PREFIX: Final = "XUANPIN_"
DELIMITER: Final = "__"
SHOULD_BE: Final = "Input should be "
"""How pydantic begins most of its complaints."""

M = TypeVar("M", bound=BaseModel)


class UnreadableSettingsError(SettingsError):
    """Refuse a configuration file that isn't there or isn't TOML."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(
            expected=f"a TOML file at {escape(str(file))}",
            found=problem,
            way_out="Write a section such as [horizons] with lines such as horizon_days = 28.",
        )


class UnknownSettingError(SettingsError):
    """Refuse a setting that nobody reads; name the one that looks most like it."""

    def __init__(self, name: str, place: str, allowed: Iterable[str]) -> None:
        names = sorted(allowed)
        alike = closest_match(name, names)
        super().__init__(
            expected=f"one of {join_names(names, limit=len(names))}",
            found=f"{escape(name)} in {place}",
            way_out=f"Did you mean {alike}?" if alike else "Remove it or correct its name.",
        )


class InvalidSettingError(SettingsError):
    """Refuse a value that a setting can't have; the value isn't shown, it may be a secret."""

    def __init__(self, name: str, place: str, should_be: str) -> None:
        super().__init__(
            expected=f"{name} to be {should_be}",
            found=f"another value in {place}",
            way_out="Correct it, or remove it to use the default.",
        )


class MissingSettingError(SettingsError):
    """Ask for a setting that has no default."""

    def __init__(self, section: str, key: str) -> None:
        super().__init__(
            expected=f"a value of {section}.{key}",
            found="none",
            way_out=f"Write it under [{section}] in the file, or set {_variable(section, key)}.",
        )


@dataclass(frozen=True)
class _SettingSources:
    """Where a section's settings may stand, to tell the user where one of them does."""

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
    """Return the settings of a section, a frozen model that forbids what it doesn't know.

    A flag whose value is None wasn't given. The names of all sections are checked, in the file and
    in the environment, and the keys of this one.

    Raises:
        SettingsError: the file can't be read, a name is unknown or a value is not allowed.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    if file is not None:
        _refuse_unknown_sections(file)
    _refuse_unknown_variables(os.environ)
    places = _SettingSources(section, file, given)
    try:
        loaded: M = getattr(_layers(model, places)(), section)
    except ValidationError as error:
        raise _explain(error, model, places) from error
    except pydantic_settings.SettingsError as error:
        raise InvalidSettingError(f"each list in [{section}]", "the environment", "JSON") from error
    return loaded


def _layers(model: type[BaseModel], places: _SettingSources) -> type[BaseSettings]:
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
            flags = InitSettingsSource(settings_cls, {places.section: places.flags})
            if places.file is None:
                return flags, env_settings
            return flags, env_settings, TomlConfigSettingsSource(settings_cls, places.file)

    fields: dict[str, Any] = {places.section: (model, Field())}
    return create_model("Layers", __base__=Layers, **fields)


def _refuse_unknown_sections(file: Path) -> None:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnreadableSettingsError(file, "nothing") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableSettingsError(file, f"other text: {error}") from error
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
    error: ValidationError, model: type[BaseModel], places: _SettingSources
) -> SettingsError:
    """Turn the first complaint into an error that names the key and where it stands."""
    first = error.errors(include_input=False, include_url=False)[0]
    path = [str(part) for part in first["loc"][1:]]
    place = places.locate(path[0] if path else "")
    if first["type"] == "extra_forbidden":
        return UnknownSettingError(".".join(path), place, model.model_fields)
    if first["type"] == "missing":
        return MissingSettingError(places.section, ".".join(path))
    message = first["msg"]
    should_be = message.removeprefix(SHOULD_BE).split(",")[0]
    name = ".".join([places.section, *path])
    valid = should_be if message.startswith(SHOULD_BE) else f"valid ({message})"
    return InvalidSettingError(name, place, valid)
