"""Try a bundle in a child process, because a broken model can kill the process that loads it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from serving.errors import CanaryError

CHILD_SECONDS: Final = 120
CHECK_PARENT_SECONDS: Final = 0.5


def try_in_child(directory: Path, bundle_id: str) -> None:
    """Load a verified bundle and check its canary in a child process.

    Raises:
        CanaryError: the process failed, or the directory holds another bundle.
    """
    command = [sys.executable, "-P", "-m", "serving.bundle.canary_child", str(directory.resolve())]
    same_code = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter, module and path
            [*command, bundle_id, str(os.getpid())],
            capture_output=True,
            check=False,
            env=same_code,
            errors="replace",
            timeout=CHILD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise CanaryError(f"a child process gave no answer within {CHILD_SECONDS} s") from error
    if child.returncode < 0:
        raise CanaryError(f"a child process was killed by signal {-child.returncode}")
    if child.returncode > 0:
        last = child.stderr.strip().rpartition("\n")[2]
        raise CanaryError(f"a child process reports: {last}")


def end_with_parent(parent: int) -> None:
    """End this process once its parent is gone, even by SIGKILL: a model that hangs never ends."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(CHECK_PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
