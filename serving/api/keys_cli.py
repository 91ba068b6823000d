"""Commands on API keys: add, list and revoke."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from serving.access.scopes import Scope

EXIT_CODES: Final = (
    "Exit codes: 0 done; 2 wrong usage or settings, or an id that the file doesn't have; "
    "5 key file refused; 6 disk error."
)
DEFAULT_SCOPES: Final = [Scope.SCORE, Scope.EXPLAIN]

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

KeysOption = Annotated[
    Path | None, typer.Option("--keys", help="File of API keys; else that of the settings.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help=r"TOML file with a section \[serving].")
]


@app.callback()
def keys_group() -> None:
    """Make, list and revoke API keys."""


def _choose_file(keys: Path | None, config: Path | None) -> Path:
    from features.runtime.settings import load_section
    from serving.access.errors import NoKeyFileError
    from serving.api.settings import ServingSettings

    path = load_section(ServingSettings, "serving", config, {"keys": keys}).keys
    if path is None:
        raise NoKeyFileError
    return path


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin keys add shop --keys keys.json --days 90 --rate 50"
)
def add(
    name: Annotated[str, typer.Argument(help="Who uses the key; any number of keys may share it.")],
    keys: KeysOption = None,
    scope: Annotated[
        list[Scope],
        typer.Option(help="What it may be used for; give the option once a scope."),
    ] = DEFAULT_SCOPES,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3_650, help="Days until it expires."),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=100_000,
            help="Requests a second, shared out evenly to the workers; no limit unless given.",
        ),
    ] = None,
    burst: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100_000,
            help="Requests at once after a pause; those of a second unless given.",
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make a key and print it, this once: the file keeps a salted hash.

    A new file is for its owner alone to read (mode 0600). Workers accept the key within a second.
    """
    from datetime import UTC, datetime

    from features.runtime.text import quote_path
    from serving.access.key_file import add_key
    from serving.access.keys import make_key, make_rate_limit

    path = _choose_file(keys, config)
    limit = make_rate_limit(rate, burst)
    text, key = make_key(name, tuple(scope), datetime.now(UTC), days=days, rate=limit)
    add_key(path, key)
    typer.echo(text)
    typer.echo(
        f"This is the key {key.key_id} of {name}; it can't be shown again. {quote_path(path)} "
        "keeps its hash.",
        err=True,
    )


@app.command("list", epilog=f"{EXIT_CODES}\n\nExample: xuanpin keys list --keys keys.json")
def list_keys(
    keys: KeysOption = None,
    config: ConfigOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """List the keys with their names, scopes, expiry and rates, without any secret."""
    from datetime import UTC, datetime

    from msgspec.json import encode

    from features.runtime.console import print_results
    from serving.access.key_file import read_keys
    from serving.access.key_table import build_table, list_facts

    facts = list_facts(read_keys(_choose_file(keys, config)), datetime.now(UTC))
    if json:
        typer.echo(encode(facts).decode())
    else:
        print_results(build_table(facts))


@app.command(epilog=f"{EXIT_CODES}\n\nExample: xuanpin keys revoke 0123456789ab --keys keys.json")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id of the key, as `keys list` shows it.")],
    keys: KeysOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove a key from the file; workers refuse it within a second."""
    from serving.access.key_file import revoke_key

    revoked = revoke_key(_choose_file(keys, config), key_id)
    typer.echo(f"Revoked the key {revoked.key_id} of {revoked.name}.")
