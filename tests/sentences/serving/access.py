"""Errors of serving/access as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from serving.access import errors

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        errors.KeyFileRefusedError(Path("keys.json"), "it is missing"),
        (
            "The key file keys.json can't be used: it is missing. Name the file that `xuanpin "
            "keys add` wrote, bring it back from a copy, or make new keys in another file."
        ),
    ),
    (
        errors.KeyFileRefusedError(Path("a\x1bb"), "Object contains unknown field `\x1b[2J`."),
        (
            "The key file a\\x1bb can't be used: Object contains unknown field `\\x1b[2J`. Name "
            "the file that `xuanpin keys add` wrote, bring it back from a copy, or make new keys "
            "in another file."
        ),
    ),
    (
        errors.NoKeyFileError(),
        (
            "No file of keys is set. Name it with --keys, or write keys under [serving] in the "
            "file of --config."
        ),
    ),
    (
        errors.UnknownKeyError(Path("keys.json")),
        (
            "The key file keys.json has no key with this id. `xuanpin keys list` shows the id of "
            "each key."
        ),
    ),
    (
        errors.InvalidNameError(64),
        (
            "The name of a key has 1 to 64 letters, digits, blanks and any of @ . - _, and no "
            "blank at its ends. Name who uses the key, such as shop or price-robot."
        ),
    ),
    (
        errors.TooManyKeysError(Path("keys.json"), 1_000),
        (
            "The key file keys.json has 1,000 keys, as many as it may. Revoke those that nobody "
            "uses, with `xuanpin keys revoke`."
        ),
    ),
    (
        errors.BurstAloneError(),
        "--burst needs a rate. Add --rate 50, for instance, or leave --burst out.",
    ),
    (
        errors.OpenToNetworkError("0.0.0.0"),  # noqa: S104 - to be refused
        (
            "Without API keys the service answers this machine alone, and 0.0.0.0 is an address "
            "that others reach. Make a key with `xuanpin keys add shop --keys keys.json` and serve "
            "with `--keys keys.json`, or leave --host out."
        ),
    ),
]
