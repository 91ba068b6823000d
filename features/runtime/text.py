"""Show names and paths from outside in error messages and reports: escaped and bounded."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MAX_NAMES: Final = 12
MAX_CHARACTERS: Final = 60
MAX_PATH_CHARACTERS: Final = 200
PYTHON: Final = shlex.quote(sys.executable)
"""The interpreter at work, for printed commands: `python` may be another, without libraries."""
GLOB_CHARACTERS: Final = re.compile(r"[*?\[{]")


def escape(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return a text that is safe on a terminal: control characters escaped, a long text cut."""
    printable = text if text.isprintable() else ascii(text)[1:-1]
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def escape_path(path: Path | str) -> str:
    """Return a path that is safe on a terminal; only a very long one is cut."""
    return escape(str(path), MAX_PATH_CHARACTERS)


def quote_path(path: Path | str) -> str:
    """Return a path as a word that a shell reads as this path, and that is safe on a terminal."""
    text = str(path)
    if not text.isprintable():
        escaped = os.fsencode(text).decode("latin-1").encode("unicode_escape").decode()
        return "$'" + escaped.replace("'", r"\'") + "'"
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def suggest_rewriting(command: str, file: Path, mark: str) -> str:
    """Return the hint to write a file anew beside itself: no command overwrites the original."""
    new = file.with_name(f"{file.stem}.{mark}{file.suffix}")
    return (
        f"Run `{command} {quote_path(file)} > {quote_path(new)}`, move the original away, and name "
        f"the new file {escape(file.name)}."
    )


def escape_glob(path: Path) -> str:
    """Return a path for an engine that reads patterns: it matches this path and no other.

    It is absolute, because engines take a leading `~` for the home directory.
    """
    return GLOB_CHARACTERS.sub(r"[\g<0>]", str(path.absolute()))


def join_names(names: Iterable[str], limit: int = MAX_NAMES) -> str:
    """Return escaped names as a bounded list: `a, b and 7 more`, or `nothing`."""
    all_names = list(names)
    if not all_names:
        return "nothing"
    shown = ", ".join(escape(name) for name in all_names[:limit])
    hidden = len(all_names) - limit
    return f"{shown} and {hidden:,} more" if hidden > 0 else shown


def fold_name(name: str) -> str:
    """Return the letters and digits of a name in lower case: `Order ID` is like `order_id`."""
    return "".join(character for character in name.casefold() if character.isalnum())


def closest_match(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name most similar to `name`, or None if none is similar."""
    by_lower = {each.lower(): each for each in allowed}
    same = (each for each in by_lower.values() if fold_name(each) == fold_name(name))
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return next(same, by_lower[close[0]] if close else None)
