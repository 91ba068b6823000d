"""Write the result of a backtest into a run directory: for programs, readers and viewers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from rich.console import Console

from features.runtime.atomic import replace_file
from features.runtime.console import UNLIMITED
from features.runtime.text import quote_path
from training.backtest.page import backtest_page
from training.backtest.picture import draw_backtest
from training.backtest.result import RESULT, Backtest, encode_result

PAGE: Final = "backtest.txt"
PICTURE: Final = "backtest.png"


def write_result(backtest: Backtest, directory: Path) -> list[Path]:
    """Write the result as JSON, as tables and as a picture; return the paths.

    Raises:
        StorageError: the disk can't be written.
    """
    paths = [directory / name for name in (RESULT, PAGE, PICTURE)]
    replace_file(paths[0], encode_result(backtest))
    replace_file(paths[1], _format_page(backtest).encode())
    draw_backtest(backtest, paths[2])
    return paths


def _format_page(backtest: Backtest) -> str:
    file = io.StringIO()
    Console(file=file, width=UNLIMITED, highlight=False, markup=False, emoji=False).print(
        backtest_page(backtest)
    )
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def list_files(directory: Path) -> list[str]:
    """Return the paths of a result's files for a person, one line each."""
    titles = {"Tables": PAGE, "Picture": PICTURE, "JSON": RESULT}
    return [f"{title:<9} {quote_path(directory / name)}" for title, name in titles.items()]
