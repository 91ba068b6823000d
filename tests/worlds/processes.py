"""Programs in processes of their own, forked from one that has imported what they need.

Importing takes longer than most of what such a program does; a fork has nothing left to import,
and can be killed or crash like any process.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from types import TracebackType
from typing import Final, Self

ROOT: Final = Path(__file__).parents[2]
IMPORTED: Final = ["tests.worlds.imported"]
PATIENCE_SECONDS: Final = 100
COMMAND: Final = "import xuanpin; xuanpin.main()"
"""The program of the command line."""


@cache
def forking() -> ForkServerContext:
    """Return the way to start processes as forks; who else starts some so has them like ours."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    ensure_running()
    return context


class Program:
    """Python code in a process of its own, with arguments; its output goes to files.

    It starts in the directory of the checkout, and nothing can be written to its stdin.
    """

    def __init__(
        self, code: str, *arguments: object, environment: Mapping[str, str] | None = None
    ) -> None:
        self._output = Path(tempfile.mkdtemp(prefix="program-"))
        words = tuple(map(str, arguments))
        variables = dict(os.environ if environment is None else environment)
        self._process = forking().Process(target=_run, args=(code, words, variables, self._output))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, while the process is alive."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.returncode is None, f"it ended before: {self._read('stderr')}"
            assert time.monotonic() < end, "it took too long"
            time.sleep(0.001)

    def read_line(self) -> str:
        """Wait for a first line on stdout and return it."""
        self.wait_until(lambda: "\n" in self._read("stdout"))
        return self._read("stdout").partition("\n")[0]

    def communicate(self) -> tuple[str, str]:
        """Wait for the end; return what it printed to stdout and to stderr."""
        self._process.join()
        printed = self._read("stdout"), self._read("stderr")
        shutil.rmtree(self._output)
        return printed

    def _read(self, name: str) -> str:
        path = self._output / name
        return path.read_text() if path.exists() else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.join()
        shutil.rmtree(self._output, ignore_errors=True)


def run_program(
    code: str, *arguments: object, environment: Mapping[str, str] | None = None
) -> tuple[int | None, str, str]:
    """Run code to its end; return its exit code, and what it printed to stdout and to stderr."""
    program = Program(code, *arguments, environment=environment)
    printed, told = program.communicate()
    return program.returncode, printed, told


def _run(code: str, words: tuple[str, ...], variables: dict[str, str], output: Path) -> None:
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(output / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(variables)
    tempfile.tempdir = None  # found already, by other variables
    sys.argv = ["-c", *words]
    exec(code, {"__name__": "__main__"})  # noqa: S102 - the code of a test
