"""Load one bundle and check its canary: what `load_bundle` runs in a child process."""

from __future__ import annotations

import sys
from pathlib import Path

from features.catalogue.catalogue import CATALOGUE
from features.runtime.errors import ArtefactError
from serving.bundle.bundle import assemble
from serving.bundle.verified_files import read_verified
from serving.errors import CanaryError


def main(directory: Path, bundle_id: str) -> int:
    """Return 0 if the bundle can be loaded and answers as written, else its error's exit code."""
    try:
        verified = read_verified(directory)
        if verified.bundle_id != bundle_id:
            raise CanaryError(f"bundle {verified.bundle_id} in place of {bundle_id}")
        assemble(verified, CATALOGUE)
    except ArtefactError as error:
        sys.stderr.write(f"{_describe(error)}\n")
        return error.exit_code
    return 0


def _describe(error: ArtefactError) -> str:
    """Say in a line what the parent doesn't say by itself."""
    if isinstance(error, CanaryError):
        return error.found
    return f"{error.found} where {error.expected} was expected"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
