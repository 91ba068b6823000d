"""Commands on bundles: make keys, sign, verify and inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

EXIT_CODES: Final = (
    "Exit codes: 0 done; 2 wrong usage; 5 bundle, snapshot or key refused; 6 disk error."
)
REFUSED: Final = 5

app = typer.Typer(help="Sign, verify and inspect bundles and snapshots.", no_args_is_help=True)

ArtefactArgument = Annotated[
    Path,
    typer.Argument(
        help="Directory of a bundle, such as var/run/bundles/0123456789abcdef, or of a snapshot."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.callback()
def bundle_group() -> None:
    """Sign, verify and inspect bundles and snapshots."""


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
    artefact: ArtefactArgument,
    key: Annotated[Path, typer.Option(help="PEM file with the private key.")],
) -> None:
    """Check a bundle or a snapshot, sign it, and write the signature into its directory.

    The signature is manifest.sig in a bundle, snapshot.sig in a snapshot.
    """
    from features.online.files import sign_snapshot
    from features.runtime.signature import fingerprint, read_private_key
    from serving.bundle.checks import is_snapshot, sign_bundle

    private = read_private_key(key)
    kind, sign_it = (
        ("snapshot", sign_snapshot) if is_snapshot(artefact) else ("bundle", sign_bundle)
    )
    signed_id = sign_it(artefact, private)
    typer.echo(f"Signed {kind} {signed_id} with the key {fingerprint(private.public_key())}.")


@app.command(
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin bundle verify var/run/bundles/0123456789abcdef "
    "--public-key keys/xuanpin.pub"
)
def verify(
    artefact: ArtefactArgument,
    public_key: Annotated[
        Path | None,
        typer.Option(help="PEM file with the public key; without it the signature isn't checked."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify a bundle or a snapshot with the checks of loading, and print the result of each.

    The checks run in this order: names and sizes of files, the signature, the digests of files,
    and for a bundle the schema, and the canary's answers in a child process. The first that fails
    ends the run.
    """
    from msgspec.json import encode

    from features.runtime.signature import read_public_key
    from serving.bundle.checks import verify_artefact

    key = None if public_key is None else read_public_key(public_key)
    checks = verify_artefact(artefact, key)
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
def inspect(artefact: ArtefactArgument, json: JsonOption = False) -> None:
    """Print the facts of a bundle or a snapshot: the data that made it, its sizes, its files.

    Checks the files against their description. Doesn't check the signature and loads no model.
    """
    from msgspec.json import encode

    from serving.bundle.checks import is_snapshot
    from serving.bundle.describe import format_facts, read_facts
    from serving.bundle.describe_snapshot import format_snapshot, read_snapshot_facts

    if is_snapshot(artefact):
        snapshot = read_snapshot_facts(artefact)
        typer.echo(encode(snapshot).decode() if json else "\n".join(format_snapshot(snapshot)))
        return
    facts = read_facts(artefact)
    typer.echo(encode(facts).decode() if json else "\n".join(format_facts(facts)))
