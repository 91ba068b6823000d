"""Find how a CSV file is written: its encoding, its separator, its header and its width."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from features.contract.errors import UnreadableFileError
from features.files.headers import name_columns, refuse_many_columns
from features.files.text_encoding import TextEncoding, explain_bytes, find_encoding

BLOCK_BYTES: Final = 1 << 24
"""Size of the text parsed at once; a single row may lie in two such blocks, but not in three."""

HEADER_BYTES: Final = 1 << 20
"""The header must end within so many bytes."""

COMMA: Final = ","
OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars (|)"}
"""Signs that separate the cells of a file whose header has no comma, with their names."""

_SAMPLE_ROWS: Final = 100


@dataclass(frozen=True)
class CsvDialect:
    """How a CSV file is written.

    `names` are the cleaned names of the columns. `width` is the number of cells in most rows, at
    least that of the names: surplus cells are empty, as after a comma at the end of each line.
    The rows begin after `start` bytes.
    """

    encoding: TextEncoding
    separator: str
    names: tuple[str, ...]
    width: int
    start: int


def parse_rows(lines: Iterator[str], separator: str) -> Iterator[list[str]]:
    """Yield the rows of a text that aren't blank; a cell may be as long as two blocks."""
    csv.field_size_limit(2 * BLOCK_BYTES)  # Python's own limit is 131,072 characters
    return filter(None, csv.reader(lines, delimiter=separator))


def read_dialect(file: Path) -> CsvDialect:
    """Read the beginning of a CSV file: its header is the first line that isn't blank.

    A line `sep=;` before it, as Excel writes it, names the separator.

    Raises:
        UnreadableFileError: it isn't UTF-8 or UTF-16, or the header doesn't end.
    """
    with file.open("rb") as data:
        head = data.read(HEADER_BYTES)
        is_whole = not data.read(1)
    encoding = find_encoding(file, head)
    text = _decode(file, head[encoding.mark_bytes :], encoding, is_whole=is_whole)
    lines = _CountedLines(text)
    separator = _read_separator(lines)
    header = next(parse_rows(lines, separator), [])
    if lines.is_at_end and not is_whole:
        detail = f"its first line doesn't end within {HEADER_BYTES:,} bytes"
        raise UnreadableFileError(file, detail)
    if lines.is_at_end and any("\n" in name for name in header):
        raise UnreadableFileError(file, "a quote in its header never closes")
    start = encoding.mark_bytes + len(lines.consumed.encode(encoding.name))
    refuse_many_columns(file, len(header))
    names = name_columns(header)
    sample = islice(parse_rows(lines, separator), _SAMPLE_ROWS)
    widths = [len(row) for row in sample]
    width = max(len(names), statistics.mode(widths[:-1] or widths or [0]))
    return CsvDialect(encoding, separator, tuple(names), width, start)


class _CountedLines:
    """The lines of a text with their ends, which knows how much of it was consumed."""

    def __init__(self, text: str) -> None:
        self._text = io.StringIO(text, newline="")

    def __iter__(self) -> _CountedLines:
        return self

    def __next__(self) -> str:
        line = self._text.readline()
        if not line:
            raise StopIteration
        return line

    @property
    def consumed(self) -> str:
        """Return the text of the lines that were read."""
        return self._text.getvalue()[: self._text.tell()]

    @property
    def is_at_end(self) -> bool:
        """Return True if no line is left."""
        return self._text.tell() == len(self._text.getvalue())

    def peek(self) -> str:
        """Return the next line without reading it; empty at the end."""
        place = self._text.tell()
        line = self._text.readline()
        self._text.seek(place)
        return line


def _decode(file: Path, head: bytes, encoding: TextEncoding, *, is_whole: bool) -> str:
    try:
        return head.decode(encoding.name)
    except UnicodeDecodeError as error:
        is_cut = not is_whole and error.end >= len(head) - 4  # a character cut by the sample
        if not is_cut:
            raise explain_bytes(file, encoding) from error
        return head[: error.start].decode(encoding.name)


def _read_separator(lines: _CountedLines) -> str:
    """Return the separator of the first line; skip blank lines and a line that names it."""
    while lines.peek().strip(" \r\n") == "" and lines.peek():
        next(lines)
    first = lines.peek().strip("\r\n")
    hint = first.strip('"').lower()
    if hint.startswith("sep=") and len(hint) == len("sep=") + 1:
        next(lines)
        return hint[-1]
    return choose_separator(first)


def choose_separator(header: str) -> str:
    """Return the comma, unless only another sign splits the header."""
    counts = {
        separator: len(next(parse_rows(iter([header]), separator), []))
        for separator in (COMMA, *OTHER_SEPARATORS)
    }
    if counts[COMMA] > 1:
        return COMMA
    return max(counts, key=lambda separator: counts[separator])


def read_first_lines(file: Path) -> Iterator[list[str]]:
    """Yield the cells of the first lines, each split at the separator that it shows itself."""
    with file.open("rb") as data:
        head = data.read(HEADER_BYTES)
    encoding = find_encoding(file, head)
    text = head[encoding.mark_bytes :].decode(encoding.name, errors="replace")
    for line in text.splitlines()[:_SAMPLE_ROWS]:
        yield split_line(line)


def split_line(line: str) -> list[str]:
    """Return the cells of a line, split at the separator that it shows itself."""
    return next(parse_rows(iter([line]), choose_separator(line)), [])
