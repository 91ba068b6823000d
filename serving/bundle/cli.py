"""Commands on bundles: make keys, sign, verify and inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

EXIT_CODES: Final = (
    "Exit codes: 0 done; 2 wrong usage; 5 bundle, snapshot or key refused; 6 disk error."
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
    """Make a pair of Ed25519 keys: the private key signs bundles, the public key checks them.

    Keep the private key where bundles are made. It isn't encrypted, so let nobody else read it.
    """
    from features.runtime.signature import make_keys
    from features.runtime.text import quote_path

    private, public = make_keys(out)
    key, check = quote_path(private), quote_path(public)
    typer.echo(f"Wrote {key} to sign with (keep it secret) and {check} to check with.")


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle sign var/run/bundles/0123456789abcdef "
    "--key keys/xuanpin.key"
)
def sign(
    artefact: Annotated[
        Path, typer.Argument(help="Directory of a bundle, or of an online snapshot.")
    ],
    key: Annotated[Path, typer.Option(help="PEM file with the private key.")],
) -> None:
    """Check a bundle or a snapshot, sign it, and write the signature into its directory.

    The signature is manifest.sig in a bundle, snapshot.sig in a snapshot.
    """
    from features.online.files import ABOUT, sign_snapshot
    from features.runtime.signature import fingerprint, read_private_key
    from serving.bundle.checks import sign_bundle

    private = read_private_key(key)
    is_snapshot = (artefact / ABOUT).exists()
    sign_it = sign_snapshot if is_snapshot else sign_bundle
    signed_id = sign_it(artefact, private)
    kind = "snapshot" if is_snapshot else "bundle"
    typer.echo(f"Signed {kind} {signed_id} with the key {fingerprint(private.public_key())}.")


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle verify var/run/bundles/0123456789abcdef "
    "--public-key keys/xuanpin.pub"
)
def verify(
    bundle: BundleArgument,
    public_key: Annotated[
        Path | None,
        typer.Option(help="PEM file with the public key; without it the signature isn't checked."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify a bundle with the checks of loading, and print the result of each.

    The checks run in this order: names and sizes of files, the signature, the digests of files,
    the schema, and the canary's answers in a child process. The first that fails ends the run.
    """
    from msgspec.json import encode

    from features.runtime.signature import read_public_key
    from serving.bundle.checks import verify_bundle

    key = None if public_key is None else read_public_key(public_key)
    checks = verify_bundle(bundle, key)
    is_sound = all(check.holds for check in checks)
    if json:
        typer.echo(encode({"is_sound": is_sound, "checks": checks}).decode())
    else:
        for check in checks:
            typer.echo(f"{'holds' if check.holds else 'FAILS'}  {check.check}: {check.message}")
    raise typer.Exit(0 if is_sound else REFUSED)


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle inspect var/run/bundles/0123456789abcdef"
)
def inspect(bundle: BundleArgument, json: JsonOption = False) -> None:
    """Print a bundle's facts: the code and data that made it, its metrics and its files.

    Checks the files against the manifest. Doesn't check the signature and loads no model.
    """
    from msgspec.json import encode

    from serving.bundle.describe import format_facts, read_facts

    facts = read_facts(bundle)
    typer.echo(encode(facts).decode() if json else "\n".join(format_facts(facts)))
