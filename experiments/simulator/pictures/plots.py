"""Draw the pictures of a simulated market into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.simulator.pictures.picture_data import PictureData
from experiments.simulator.pictures.pictures import PICTURES

SIZE: Final = (9.0, 3.6)
STYLE: Final[dict[Any, Any]] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "font.size": 9,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "svg.hashsalt": "xuanpin",
}


def draw_all(data: Path, out: Path) -> list[Path]:
    """Draw every picture into a directory; return their paths.

    Raises:
        NoTruthError: `data` isn't a simulated market.
    """
    pictured = PictureData(data)
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    with mpl.rc_context():
        mpl.rcParams.update(STYLE)
        for name, draw in PICTURES.items():
            figure = Figure(figsize=SIZE, layout="constrained")
            FigureCanvasAgg(figure)
            draw(pictured, figure)
            paths.append(out / f"{name}.png")
            figure.savefig(paths[-1], dpi=110, metadata={"Software": None})
    return paths
