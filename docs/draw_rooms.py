"""Draw docs/rooms.svg from the imports of the code: `python docs/draw_rooms.py`.

One band a storey, one row a layer of its import contract in pyproject.toml, one box a room with the
number of its modules. A line joins two rooms of a storey where the upper one imports the lower one
and no room between them does so already.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import grimp

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = ROOT / "docs" / "rooms.svg"
STOREYS: Final = {
    "experiments": "why we believe it",
    "training": "how a model is made",
    "serving": "how a score is made and served",
    "features": "what we know of a listing at a moment",
}
COLOURS: Final = {
    "experiments": "#fef3c7",
    "training": "#dcfce7",
    "serving": "#dbeafe",
    "features": "#f1f5f9",
}
WIDTH: Final = 960
LEFT: Final = 190
BOX_HEIGHT: Final = 34
ROW_HEIGHT: Final = 56
GAP: Final = 18


def read_layers(storey: str) -> list[list[str]]:
    """Return the rooms of a storey, a row a layer, from the highest to the lowest."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, Any]] = configuration["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one.get("containers") == [storey])
    return [[name.strip() for name in layer.split("|")] for layer in layers]


def read_imports(storey: str, rooms: list[str]) -> set[tuple[str, str]]:
    """Return the pairs of rooms of which the first imports the second directly."""
    graph = grimp.build_graph(storey)
    pairs = set()
    for upper in rooms:
        for lower in rooms:
            if upper != lower and graph.direct_import_exists(
                importer=f"{storey}.{upper}", imported=f"{storey}.{lower}", as_packages=True
            ):
                pairs.add((upper, lower))
    return pairs


def reduce_imports(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out each pair that a chain of others implies."""

    def is_implied(upper: str, lower: str) -> bool:
        ahead = {middle for first, middle in pairs if first == upper and middle != lower}
        seen: set[str] = set()
        while ahead:
            seen |= ahead
            ahead = {last for first, last in pairs if first in ahead} - seen
        return lower in seen

    return sorted(pair for pair in pairs if not is_implied(*pair))


def count_modules(storey: str, room: str) -> int:
    """Return how many modules a room holds, those of its own rooms included."""
    folder = ROOT / storey / room
    if not folder.is_dir():
        return 1
    return sum(path.name != "__init__.py" for path in folder.rglob("*.py"))


def draw_storey(storey: str, top: int) -> tuple[list[str], int]:
    """Return the SVG elements of a storey's band, and the height of the band."""
    layers = read_layers(storey)
    height = ROW_HEIGHT * len(layers) + GAP
    centres = dict(_place_rooms(layers, top + GAP))
    lines = [
        (
            f'<rect x="10" y="{top}" width="{WIDTH - 20}" height="{height}" rx="10" '
            f'fill="{COLOURS[storey]}"/>'
        ),
        f'<text x="30" y="{top + 34}" font-size="18" font-weight="bold">{storey}</text>',
        *_wrap(STOREYS[storey], top + 56),
    ]
    for upper, lower in reduce_imports(read_imports(storey, list(centres))):
        (x1, y1), (x2, y2) = centres[upper], centres[lower]
        lines.append(
            f'<line x1="{x1}" y1="{y1 + BOX_HEIGHT}" x2="{x2}" y2="{y2}" stroke="#94a3b8"/>'
        )
    for room, (x, y) in centres.items():
        width = _box_width(room)
        lines += [
            (
                f'<rect x="{x - width // 2}" y="{y}" width="{width}" height="{BOX_HEIGHT}" rx="6" '
                'fill="#ffffff" stroke="#64748b"/>'
            ),
            f'<text x="{x}" y="{y + 15}" text-anchor="middle">{room}</text>',
            (
                f'<text x="{x}" y="{y + 29}" text-anchor="middle" font-size="10" fill="#475569">'
                f"{_describe_count(count_modules(storey, room))}</text>"
            ),
        ]
    return lines, height


def draw() -> str:
    """Return the picture of all storeys as SVG."""
    body: list[str] = []
    top = 10
    for storey in STOREYS:
        lines, height = draw_storey(storey, top)
        body += lines
        top += height + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">'
    )
    about = "<title>The rooms of the code; each imports only rooms below it</title>"
    paper = f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>'
    return "\n".join([head, about, paper, *body, "</svg>", ""])


def _place_rooms(layers: list[list[str]], top: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each room with the middle of its box's upper edge."""
    for row, rooms in enumerate(layers):
        step = (WIDTH - LEFT - 20) // len(rooms)
        for column, room in enumerate(rooms):
            # odd rows stand a little to the left, so that lines from row to row can be told apart
            shift = 0 if len(rooms) > 1 else (-1) ** row * 60
            yield room, (LEFT + step * column + step // 2 + shift, top + ROW_HEIGHT * row)


def _box_width(room: str) -> int:
    return max(96, 9 * len(room) + 20)


def _describe_count(modules: int) -> str:
    return "1 module" if modules == 1 else f"{modules} modules"


def _wrap(sentence: str, top: int) -> list[str]:
    words, lines = sentence.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 20:  # noqa: PLR2004 - letters that fit beside the boxes
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [
        f'<text x="30" y="{top + 16 * number}" fill="#334155">{line}</text>'
        for number, line in enumerate(lines)
    ]


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
