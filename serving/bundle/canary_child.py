"""Load one bundle and check its canary, as a program that `load_bundle` runs as a child."""

from __future__ import annotations

import sys
from pathlib import Path

from features.catalogue.catalogue import CATALOGUE
from features.runtime.errors import ArtefactError
from serving.bundle.bundle import assemble
from serving.bundle.canary_process import end_with_parent
from serving.bundle.verified_files import read_verified
from serving.errors import CanaryError


def main(directory: Path, bundle_id: str) -> int:
    """Return 0 if the bundle loads and passes its canary, else the exit code of its error."""
    try:
        verified = read_verified(directory)
        if verified.bundle_id != bundle_id:
            raise CanaryError(f"bundle {verified.bundle_id} has replaced {bundle_id}")
        assemble(verified, CATALOGUE)
    except ArtefactError as error:
        sys.stderr.write(f"{_describe(error)}\n")
        return error.exit_code
    return 0


def _describe(error: ArtefactError) -> str:
    """Return one line for the parent, which puts it into a sentence of its own."""
    return error.reason if isinstance(error, CanaryError) else error.problem


if __name__ == "__main__":
    end_with_parent(int(sys.argv[3]))
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
