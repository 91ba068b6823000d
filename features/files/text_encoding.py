"""Find the encoding of a text file by its bytes: read UTF-8 and UTF-16, name any other."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final, NamedTuple

from features.contract.errors import UnreadableFileError
from features.files.file_format import DOWNLOAD_AGAIN, SAVE_AS_CSV
from features.files.likely_encodings import guess_encodings
from features.runtime.text import suggest_rewriting

SAMPLE_BYTES: Final = 1 << 16
_CHUNK_BYTES: Final = 1 << 20
_MANY_NULS: Final = 0.3
"""Share of the bytes at odd or even places: in UTF-16, ASCII text has NUL at every second."""

_IN_EXCEL: Final = SAVE_AS_CSV[0].lower() + SAVE_AS_CSV[1:]

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNREAD_MARKS: Final = ((codecs.BOM_UTF32_LE, "UTF-32LE"), (codecs.BOM_UTF32_BE, "UTF-32BE"))


class TextEncoding(NamedTuple):
    """An encoding by Python's name, and the length of the mark before the text."""

    name: str
    mark_bytes: int


def find_encoding(file: Path, head: bytes) -> TextEncoding:
    """Return the encoding of a file that begins with `head`: by its mark, else UTF-8.

    Raises:
        UnreadableFileError: the first bytes show another encoding, or no text at all.
    """
    for mark, name in _UNREAD_MARKS:
        if head.startswith(mark):
            raise _other_encoding(file, f"its first bytes are the mark of {name}", name)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return TextEncoding(name, len(mark))
    _refuse_nuls(file, head[:SAMPLE_BYTES])
    return TextEncoding("utf-8", 0)


def _refuse_nuls(file: Path, sample: bytes) -> None:
    even, odd = (sample[start::2].count(0) / max(len(sample) // 2, 1) for start in (0, 1))
    if max(even, odd) < _MANY_NULS:
        return
    if min(even, odd) < _MANY_NULS:
        name = "UTF-16LE" if odd > even else "UTF-16BE"
        raise _other_encoding(file, f"its bytes look like {name} without a byte order mark", name)
    raise UnreadableFileError(file, "it holds binary data, not text", DOWNLOAD_AGAIN)


def explain_bytes(file: Path, encoding: TextEncoding) -> UnreadableFileError:
    """Return the error for a file that doesn't decode: the line, and the likely encoding."""
    place = _find_bad_bytes(file, encoding)
    if place is None:
        return UnreadableFileError(file, "its text is damaged")
    line, sample, is_at_end, has_other_text = place
    if is_at_end:
        detail = f"it ends within a character (line {line:,}), as in a download that broke off"
        return UnreadableFileError(file, detail, DOWNLOAD_AGAIN)
    if encoding.name != "utf-8":
        return UnreadableFileError(file, f"line {line:,} isn't {encoding.name.upper()}")
    likely = guess_encodings(sample)
    labels = " or ".join(guess.label for guess in likely)
    looks = f"its bytes look like {labels}" if likely else ""
    if has_other_text:
        there = f"there {looks}" if looks else "not from there"
        detail = f"it is UTF-8 before line {line:,}, but {there}"
        hint = "Two files seem to be joined: convert each to UTF-8 before you join them."
        return UnreadableFileError(file, detail, hint)
    detail = f"it isn't UTF-8 (line {line:,}){'; ' if looks else ''}{looks}"
    return _other_encoding(file, detail, *(guess.iconv for guess in likely))


def _other_encoding(file: Path, detail: str, *iconv: str) -> UnreadableFileError:
    """Return the error with a command if one encoding is likely, or two in the user's order."""
    if not iconv:
        return UnreadableFileError(file, detail, SAVE_AS_CSV)
    first, *others = iconv
    rewriting = suggest_rewriting(f"iconv -f {first} -t UTF-8", file, "utf8")
    instead = "".join(f" If the text is then wrong, use `-f {other}`." for other in others)
    return UnreadableFileError(file, detail, f"{rewriting}{instead} Or {_IN_EXCEL}")


class _BadBytes(NamedTuple):
    """Where a file doesn't decode.

    `sample` begins with the line. `is_at_end` is true if the file ends within a character.
    `has_other_text` is true if characters beyond ASCII stand before.
    """

    line: int
    sample: bytes
    is_at_end: bool
    has_other_text: bool


def _find_bad_bytes(file: Path, encoding: TextEncoding) -> _BadBytes | None:
    decoder = codecs.getincrementaldecoder(encoding.name)()
    line, has_other_text = 1, False
    with file.open("rb") as data:
        data.seek(encoding.mark_bytes)
        while True:
            kept = decoder.getstate()[0]
            chunk = data.read(_CHUNK_BYTES)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                code = kept + chunk
                line += code[: error.start].count(b"\n")
                line_start = code.rfind(b"\n", 0, error.start) + 1
                sample = (code + data.read(SAMPLE_BYTES))[line_start : line_start + SAMPLE_BYTES]
                has_other_text |= not code[: error.start].isascii()
                return _BadBytes(line, sample, not chunk, has_other_text)
            if not chunk:
                return None
            line += text.count("\n")
            has_other_text |= not text.isascii()
