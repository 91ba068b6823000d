"""Let standard output and standard error take any text, whatever their encoding."""

from __future__ import annotations

import codecs
import io
import sys
from typing import Final

ESCAPED: Final = "xuanpin.escaped"
"""Name of the rule for characters that an encoding lacks."""


def accept_any_text() -> None:
    r"""Write a character that the encoding lacks as `\uXXXX`, which JSON reads as that character.

    A file name that isn't UTF-8 has such characters everywhere; ASCII lacks most.
    """
    codecs.register_error(ESCAPED, _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    units = [text[place : place + 2].hex() for place in range(0, len(text), 2)]
    return "".join(f"\\u{unit}" for unit in units), error.end
