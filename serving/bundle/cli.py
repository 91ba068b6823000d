"""Commands on bundles: make keys, sign, verify and inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

EXIT_CODES: Final = (
    "Exit codes: 0 done; 2 wrong usage; 5 the bundle or the key was refused; 6 the disk refused."
)
REFUSED: Final = 5

app = typer.Typer(help="Sign, verify and inspect bundles.", no_args_is_help=True)

BundleArgument = Annotated[
    Path, typer.Argument(help="Directory of the bundle, such as var/run/bundles/0123456789abcdef.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.callback()
def bundle_group() -> None:
    """Sign, verify and inspect bundles."""


@app.command(epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle keygen --out keys")
def keygen(
    out: Annotated[Path, typer.Option(help="Directory for xuanpin.key and xuanpin.pub.")],
) -> None:
    """Make a pair of Ed25519 keys: the private one signs, the public one checks.

    Keep the private key where bundles are made, readable by nobody else; it isn't encrypted.
    """
    from serving.bundle.signature import make_keys

    private, public = make_keys(out)
    typer.echo(f"{private} signs (keep it secret), {public} checks.")


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle sign var/run/bundles/0123456789abcdef "
    "--key keys/xuanpin.key"
)
def sign(
    bundle: BundleArgument,
    key: Annotated[Path, typer.Option(help="PEM file with the private key.")],
) -> None:
    """Sign a bundle, after checking that it is sound: writes manifest.sig into it."""
    from serving.bundle.checks import sign_bundle
    from serving.bundle.signature import fingerprint, read_private_key

    private = read_private_key(key)
    bundle_id = sign_bundle(bundle, private)
    typer.echo(f"Signed bundle {bundle_id} with the key {fingerprint(private.public_key())}.")


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle verify var/run/bundles/0123456789abcdef "
    "--public-key keys/xuanpin.pub"
)
def verify(
    bundle: BundleArgument,
    public_key: Annotated[
        Path | None,
        typer.Option(help="PEM file; without it the signature isn't checked."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify a bundle as loading does, and say of each check whether it holds.

    Files are checked before the signature, the signature before any file that it vouches for,
    digests before any byte reaches LightGBM, and the answers in a process of their own.
    """
    from msgspec.json import encode

    from serving.bundle.checks import verify_bundle
    from serving.bundle.signature import read_public_key

    key = None if public_key is None else read_public_key(public_key)
    checks = verify_bundle(bundle, key)
    is_sound = all(one.holds for one in checks)
    if json:
        typer.echo(encode({"is_sound": is_sound, "checks": checks}).decode())
    else:
        for one in checks:
            typer.echo(f"{'holds' if one.holds else 'FAILS'}  {one.check}: {one.message}")
    raise typer.Exit(0 if is_sound else REFUSED)


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle inspect var/run/bundles/0123456789abcdef"
)
def inspect(bundle: BundleArgument, json: JsonOption = False) -> None:
    """Say what a bundle is: what made it, from which data, how good, which files.

    Its files are checked against its manifest, its signature isn't, and no model is loaded.
    """
    from msgspec.json import encode

    from serving.bundle.describe import format_facts, read_facts

    facts = read_facts(bundle)
    typer.echo(encode(facts).decode() if json else "\n".join(format_facts(facts)))
