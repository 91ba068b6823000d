"""Draw the pictures of a simulated market into files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from experiments.simulator.pictures.picture_data import PictureData
from experiments.simulator.pictures.pictures import PICTURES
from features.runtime.pictures import draw_picture

SIZE: Final = (9.0, 3.6)


def draw_all(data: Path, out: Path) -> list[Path]:
    """Draw every picture into a directory; return their paths.

    Raises:
        NoTruthError: `data` isn't a simulated market.
        StorageError: the disk can't be written.
    """
    pictured = PictureData(data)
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, draw in PICTURES.items():
        paths.append(out / f"{name}.png")
        draw_picture(paths[-1], SIZE, partial(draw, pictured))
    return paths
