"""Find the encoding of a text file by its bytes: read UTF-8 and UTF-16, name any other."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final, NamedTuple

from features.contract.errors import UnreadableFileError
from features.files.file_format import DOWNLOAD_AGAIN
from features.runtime.text import quote_path

SAMPLE_BYTES: Final = 1 << 16
_CHUNK_BYTES: Final = 1 << 20
_MANY_NULS: Final = 0.3
"""Share of the bytes at odd or even places: in UTF-16, ASCII text has NUL at every second."""

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
    guess = guess_encoding(sample) if encoding.name == "utf-8" else None
    if guess is None:
        return UnreadableFileError(file, f"line {line:,} isn't {encoding.name.upper()}")
    if has_other_text:
        detail = f"it is UTF-8 before line {line:,}, but there its bytes look like {guess.label}"
        hint = "Two files seem to be joined: convert each to UTF-8 before you join them."
        return UnreadableFileError(file, detail, hint)
    detail = f"it isn't UTF-8 (line {line:,}); its bytes look like {guess.label}"
    return _other_encoding(file, detail, guess.iconv)


def _other_encoding(file: Path, detail: str, iconv: str) -> UnreadableFileError:
    name = quote_path(file.name)
    return UnreadableFileError(
        file,
        detail,
        f"Run `iconv -f {iconv} -t UTF-8 {name} > utf8.csv && mv utf8.csv {name}`, or in Excel "
        "choose File > Save As > CSV UTF-8 (comma delimited).",
    )


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


class LikelyEncoding(NamedTuple):
    """An encoding with its names for people and for iconv, and the codes of frequent characters.

    Each pattern of a character's code has a weight: 1 for the most telling ones.
    """

    codec: str
    label: str
    iconv: str
    frequent: tuple[tuple[re.Pattern[bytes], float], ...]


LIKELY_ENCODINGS: Final = (
    LikelyEncoding(
        "gb18030",
        "GB18030 or GBK (Chinese)",
        "GB18030",
        ((re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]"), 1.0),),  # level 1 of GB 2312
    ),
    LikelyEncoding(
        "cp932",
        "Shift_JIS (Japanese)",
        "CP932",
        (
            (re.compile(rb"[\x81-\x83\x88-\x97]."), 1.0),  # kana and level 1 of JIS X 0208
            (re.compile(rb"[\xa1-\xdf]"), 0.8),  # half-width kana, the bytes of western capitals
        ),
    ),
    LikelyEncoding(
        "big5",
        "Big5 (Chinese)",
        "BIG5",
        (
            (re.compile(rb"[\xa1-\xc6][\x80-\xff]"), 1.0),  # the first plane
            (re.compile(rb"[\xa1-\xc6]."), 0.7),  # may be a western capital and a letter
        ),
    ),
    LikelyEncoding(
        "cp874",
        "Windows-874 (Thai)",
        "CP874",
        (
            (re.compile(rb"[\xd0-\xd9\xe0-\xe4\xe7-\xed]"), 1.0),  # vowels and tones
            (re.compile(rb"[\xa1-\xce]"), 0.8),
        ),
    ),
    LikelyEncoding(
        "cp1252",
        "Windows-1252 or Latin-1 (Western)",
        "WINDOWS-1252",
        ((re.compile(rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff\x80\x85\x91-\x97\xa3\xb0]"), 0.9),),
    ),
)


def guess_encoding(sample: bytes) -> LikelyEncoding | None:
    """Return the encoding in which most of the characters beyond ASCII are frequent ones.

    >>> guess_encoding("1,手机壳".encode("gbk")).label
    'GB18030 or GBK (Chinese)'
    """
    excluded = "cp1252" if _has_long_runs(sample) else "cp874"
    rates = {
        likely: _rate_sample(sample, likely)
        for likely in LIKELY_ENCODINGS
        if likely.codec != excluded
    }
    best = max(rates, key=lambda likely: rates[likely])
    return best if rates[best] > 0.5 else None  # noqa: PLR2004 - more than a half


def _has_long_runs(sample: bytes) -> bool:
    """Return True if most bytes beyond ASCII stand together, as in Cyrillic, Greek or Thai."""
    in_runs = sum(len(run) for run in re.findall(rb"[\x80-\xff]{4,}", sample))
    return 2 * in_runs > len(re.findall(rb"[\x80-\xff]", sample))


def _rate_sample(sample: bytes, likely: LikelyEncoding) -> float:
    """Return the mean weight of the characters beyond ASCII; bytes that don't decode weigh 0."""
    text = sample.decode(likely.codec, errors="ignore")
    codes = [character.encode(likely.codec) for character in text if not character.isascii()]
    lost = len(sample) - len(text.encode(likely.codec))
    return sum(_weigh(code, likely) for code in codes) / max(len(codes) + lost, 1)


def _weigh(code: bytes, likely: LikelyEncoding) -> float:
    weights = (weight for pattern, weight in likely.frequent if pattern.fullmatch(code))
    return next(weights, 0.0)
