"""Load settings from flags, the environment, a TOML file and defaults, in this order of priority.

A setting belongs to a section: `[horizons] horizon_days = 14` in the file is
`XUANPIN_HORIZONS__HORIZON_DAYS=14` in the environment. An unknown name is an error, so that a
misspelt setting can't leave the default in force. The only exception is what Kubernetes tells about
a Service named `xuanpin`, in variables such as `XUANPIN_SERVICE_HOST`.
"""

from __future__ import annotations

import os
import re
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
_IP_ADDRESS: Final = "ip_any_address"
"""Pydantic's type of fault for a host name or another text that isn't an IP address."""

_SERVICE_LINK: Final = re.compile(
    r"""XUANPIN_(\w+_)?(
        (SERVICE_HOST | PORT_\d+_(TCP|UDP|SCTP)_ADDR) = [0-9a-f.:]+
        | (SERVICE_PORT(_\w+)? | PORT_\d+_(TCP|UDP|SCTP)_PORT) = \d+
        | PORT(_\d+_(TCP|UDP|SCTP))? = (tcp|udp|sctp)://.+
        | PORT_\d+_(TCP|UDP|SCTP)_PROTO = (tcp|udp|sctp)
    )""",
    re.ASCII | re.VERBOSE,
)
"""Name and value of a variable by which Kubernetes describes a Service."""

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
        """Return the place of a setting in the words of an error, such as `the flag --port`."""
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
    sections = tuple(_variable(known, "") for known in SECTIONS)
    known = [f"{start}…" for start in sections]
    slips: dict[str, str] = {}
    for key in model.model_fields:
        variable = _variable(section, key)
        slips[variable.replace(DELIMITER, "_", 1)] = variable
        slips[f"{PREFIX}{key}".upper()] = variable
    for name, value in environment.items():
        upper = name.upper()
        is_ours = upper.startswith(PREFIX) and not _SERVICE_LINK.fullmatch(f"{name}={value}")
        if is_ours and not upper.startswith(sections):
            allowed = [slips[upper]] if upper in slips else known
            raise UnknownSettingError(name, "the environment", allowed)


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
    return InvalidSettingError(name, location, _describe_valid(first["type"], first["msg"]))


def _describe_valid(fault: str, message: str) -> str:
    """Return what a value should be, by pydantic's message or a validator's own words."""
    if fault == _IP_ADDRESS:
        return "an IP address such as 127.0.0.1"
    if message.startswith(SHOULD_BE):
        return message.removeprefix(SHOULD_BE).split(",")[0]
    return message.removeprefix(VALUE_ERROR)
