"""Which engine fits the boosters of a command."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:  # the command line is listed without numpy
    from training.data.training_input import Fitter


class Engine(StrEnum):
    """Where boosters are fitted."""

    LOCAL = "local"
    DASK = "dask"


def fitter_for(engine: Engine, scheduler: str | None) -> Callable[[Path], Fitter] | None:
    """Return what makes the fitter of a cluster from a file of training rows; None fits here.

    Raises:
        typer.BadParameter: a scheduler is named, but not the engine that would use it.
        DaskMissingError: the extra isn't installed.
    """
    if engine is Engine.LOCAL:
        if scheduler is not None:
            raise typer.BadParameter("a scheduler needs --engine dask", param_hint="--scheduler")
        return None
    from training.boosting.dask_fitting import DaskFitter  # noqa: PLC0415 - takes seconds, and an extra

    return partial(DaskFitter, scheduler=scheduler)
