"""Draw pictures in one style (no other file opens a matplotlib canvas)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from features.runtime.atomic import replace_file

DOTS_PER_INCH: Final = 110
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


def draw_picture(path: Path, size: tuple[float, float], draw: Callable[[Figure], None]) -> None:
    """Draw into a PNG file; `size` is its width and height in inches.

    Raises:
        StorageError: the disk can't be written.
    """
    buffer = io.BytesIO()
    with mpl.rc_context():
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    replace_file(path, buffer.getvalue())
