"""Errors about API keys and the file that holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from features.runtime.errors import ArtefactError, SettingsError
from features.runtime.text import escape, escape_path

MAX_REASON: Final = 200


class KeyFileRefusedError(ArtefactError):
    """Refuse a file that can't be read as keys."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            problem=f"The key file {escape_path(path)} can't be used: "
            f"{escape(reason, MAX_REASON).rstrip('.')}.",
            hint="Name the file that `xuanpin keys add` wrote, bring it back from a copy, or make "
            "new keys in another file.",
        )


class NoKeyFileError(SettingsError):
    """Ask for the file of keys."""

    def __init__(self) -> None:
        super().__init__(
            problem="No file of keys is set.",
            hint="Name it with --keys, or write keys under [serving] in the file of --config.",
        )


class UnknownKeyError(SettingsError):
    """Refuse to revoke a key that isn't in the file; the text may be a secret and isn't shown."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"The key file {escape_path(path)} has no key with this id.",
            hint="`xuanpin keys list` shows the id of each key.",
        )


class InvalidNameError(SettingsError):
    """Refuse a name that a list of keys can't show."""

    def __init__(self, allowed: int) -> None:
        super().__init__(
            problem=f"The name of a key has 1 to {allowed} letters, digits, blanks and any of "
            "@ . - _, and no blank at its ends.",
            hint="Name who uses the key, such as shop or price-robot.",
        )


class TooManyKeysError(SettingsError):
    """Refuse more keys than a worker keeps in memory."""

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(
            problem=f"The key file {escape_path(path)} has {limit:,} keys, as many as it may.",
            hint="Revoke those that nobody uses, with `xuanpin keys revoke`.",
        )


class BurstAloneError(SettingsError):
    """Refuse a burst without a rate."""

    def __init__(self) -> None:
        super().__init__(
            problem="--burst needs a rate.",
            hint="Add --rate 50, for instance, or leave --burst out.",
        )


class OpenToNetworkError(SettingsError):
    """Refuse to listen beyond this machine where anybody could ask."""

    def __init__(self, host: str) -> None:
        super().__init__(
            problem=f"Without API keys the service answers this machine alone, and {host} is an "
            "address that others reach.",
            hint="Make a key with `xuanpin keys add shop --keys keys.json` and serve with "
            "`--keys keys.json`, or leave --host out.",
        )
