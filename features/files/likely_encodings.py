"""Guess the encoding of a text that isn't UTF-8 from its characters beyond ASCII."""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

MAX_SAMPLE_BYTES: Final = 1 << 11
_LEAD: Final = math.log(30)
"""The best encoding is sure if it makes the text so many times likelier than each other one."""

MAX_NAMED: Final = 2
_REPLACEMENT: Final = "\ufffd"
_STARTS: Final = 0.05
_RARE: Final = 1e-6
_ASCII: Final = 1 / 64
_CAPITAL_WITHIN: Final = 0.02
_OTHERWISE: Final = 0.5
_LETTER_ALONE: Final = 0.1
"""A sign such as that of the pound is likelier between spaces than a letter."""


_LETTERS: Final = 33
"""Letters of an alphabet; the same number for all, so that none is likelier for being short."""

_MARKS: Final = "\u20ac\u201c\u201d\u2019\u2013"
"""The euro, curly quotes and a dash, which each code page of Windows has."""


class Characters(NamedTuple):
    """Codes of characters that are about equally frequent, and their share of a usual text."""

    codes: re.Pattern[bytes]
    share: float
    size: int

    @property
    def chance(self) -> float:
        """Return the chance of one of them."""
        return self.share / self.size


class LikelyEncoding(NamedTuple):
    """An encoding with its names for people and for iconv, and how its usual texts look.

    `stays` is the chance that another character beyond ASCII follows one. `mixes` is how much less
    likely one beside an ASCII letter is than one beside another sign.
    """

    codec: str
    label: str
    iconv: str
    stays: float
    mixes: float
    frequent: tuple[Characters, ...]


def _codes(pattern: bytes, share: float, count: int) -> Characters:
    return Characters(re.compile(pattern, re.DOTALL), share, count)


def _letters(codec: str, lower: str, signs: str = "") -> tuple[Characters, ...]:
    """Return the letters of an alphabet, whose capitals are as frequent where a word begins."""
    both = "".join(dict.fromkeys(lower + lower.upper()))
    known = (letter.encode(codec, errors="ignore") for letter in both)
    alphabet = b"|".join(re.escape(code) for code in known if len(code) == 1)
    marks = b"|".join(re.escape(sign.encode(codec)) for sign in signs + _MARKS)
    return _codes(alphabet, 0.9, _LETTERS), _codes(marks, 0.09, 12)


LIKELY_ENCODINGS: Final = (
    LikelyEncoding(
        "gb18030",
        "GB18030 (Chinese)",
        "GB18030",
        0.8,
        0.5,
        (
            _codes(rb"[\xb0-\xd7][\xa1-\xfe]", 0.9, 3755),  # level 1 of GB 2312
            _codes(rb"\xa1[\xa2-\xbf]|\xa3[\xa1-\xfe]", 0.07, 120),  # signs
            _codes(rb"[\xd8-\xf7][\xa1-\xfe]", 0.02, 3008),
        ),
    ),
    LikelyEncoding(
        "big5",
        "Big5 (Chinese)",
        "BIG5",
        0.8,
        0.5,
        (
            _codes(rb"[\xa4-\xc6].", 0.9, 5401),  # the first plane
            _codes(rb"[\xa1-\xa3].", 0.07, 400),
            _codes(rb"[\xc9-\xf9].", 0.02, 7652),
        ),
    ),
    LikelyEncoding(
        "cp932",
        "Shift_JIS (Japanese)",
        "CP932",
        0.85,
        0.5,
        (
            _codes(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]|\x81[\x41\x42\x5b]", 0.4, 170),  # kana
            _codes(rb"[\x88-\x97].|\x98[\x40-\x72]", 0.3, 2965),  # level 1 of JIS X 0208
            _codes(rb"[\xa6-\xdf]", 0.25, 58),  # half-width kana
            _codes(rb"[\x81\x82].", 0.04, 200),
        ),
    ),
    LikelyEncoding(
        "euc_jp",
        "EUC-JP (Japanese)",
        "EUC-JP",
        0.85,
        0.5,
        (
            _codes(rb"[\xa4\xa5][\xa1-\xfe]|\xa1[\xa2\xa3\xbc]", 0.45, 170),  # kana
            _codes(rb"[\xb0-\xcf][\xa1-\xfe]", 0.5, 2965),
            _codes(rb"[\xa1\xa3].", 0.04, 200),
        ),
    ),
    LikelyEncoding(
        "cp949",
        "EUC-KR (Korean)",
        "CP949",
        0.75,
        0.5,
        (_codes(rb"[\xb0-\xc8][\xa1-\xfe]", 0.96, 2350),),  # Hangul of KS X 1001
    ),
    LikelyEncoding(
        "cp874",
        "Windows-874 (Thai)",
        "CP874",
        0.9,
        0.02,
        (
            _codes(rb"[\xa1-\xce]", 0.54, 46),  # consonants
            _codes(rb"[\xd0-\xda\xe0-\xee]", 0.45, 26),  # vowels and tones
        ),
    ),
    LikelyEncoding(
        "cp1251",
        "Windows-1251 (Cyrillic)",
        "WINDOWS-1251",
        0.85,
        0.02,
        _letters("cp1251", "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ", "№«»"),
    ),
    LikelyEncoding(
        "cp1252",
        "Windows-1252 (Western)",
        "WINDOWS-1252",
        0.1,
        1.0,
        _letters("cp1252", "àâäáãåæçéèêëíìîïñóòôöõøúùûüßœ", "£°®™«»"),
    ),
    LikelyEncoding(
        "cp1250",
        "Windows-1250 (Central European)",
        "WINDOWS-1250",
        0.1,
        1.0,
        _letters("cp1250", "ąćęłńóśźżáčďéěíňřšťúůýžöőüűäßâîşţđ"),
    ),
    LikelyEncoding(
        "cp1253",
        "Windows-1253 (Greek)",
        "WINDOWS-1253",
        0.85,
        0.02,
        _letters("cp1253", "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ"),
    ),
    LikelyEncoding(
        "cp1255",
        "Windows-1255 (Hebrew)",
        "WINDOWS-1255",
        0.85,
        0.02,
        _letters("cp1255", "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    ),
    LikelyEncoding(
        "cp1256",
        "Windows-1256 (Arabic)",
        "WINDOWS-1256",
        0.85,
        0.02,
        _letters("cp1256", "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأؤإئپچژگ", "؟،"),
    ),
)


_NOISE: Final = LikelyEncoding("latin-1", "", "", 0.5, 1.0, (_codes(rb"[\x80-\xff]", 1.0, 128),))
"""Any bytes: an encoding must make a text likelier than this."""


def guess_encodings(sample: bytes) -> tuple[LikelyEncoding, ...]:
    """Return the likely encoding; two if both are about as likely; none if it may be any.

    Encodings that give the same text count as one.

    >>> [guess.iconv for guess in guess_encodings("1,Größe".encode("latin-1"))]
    ['WINDOWS-1252']
    """
    lines = (line for line in sample.split(b"\n") if not line.isascii())
    code = b"\n".join(lines)[:MAX_SAMPLE_BYTES]
    rates: dict[str, tuple[float, LikelyEncoding]] = {}
    for encoding in (*LIKELY_ENCODINGS, _NOISE):
        text = code.decode(encoding.codec, errors="replace")
        rate = _rate(text, encoding)
        if rate > rates.get(text, (-math.inf,))[0]:
            rates[text] = rate, encoding
    best = max(rate for rate, _ in rates.values())
    ranked = sorted(rates.values(), key=lambda pair: -pair[0])
    likely = tuple(encoding for rate, encoding in ranked if rate > best - _LEAD)
    return likely if len(likely) <= MAX_NAMED and _NOISE not in likely else ()


def _rate(text: str, encoding: LikelyEncoding) -> float:
    """Return the logarithm of the chance of a text among those of an encoding."""
    places = zip(" " + text, text, text[1:] + " ", strict=False)
    return sum(math.log(_chance(*place, encoding)) for place in places)


def _chance(before: str, character: str, after: str, encoding: LikelyEncoding) -> float:
    follows = _STARTS if before.isascii() else encoding.stays
    is_mixed = character.isascii() != before.isascii() and (character + before).isalpha()
    mixes = encoding.mixes if is_mixed else 1.0
    if character.isascii():
        return (1 - follows) * _ASCII * mixes
    code = b"" if character == _REPLACEMENT else character.encode(encoding.codec)
    chances = (each.chance for each in encoding.frequent if each.codes.fullmatch(code))
    chance = follows * mixes * next(chances, _RARE)
    is_alone = not any(other.isalpha() or not other.isascii() for other in (before, after))
    if is_alone and len(code) == 1 and character.isalpha():
        chance *= _LETTER_ALONE
    within = character.isupper() and before.islower()
    return chance * (_CAPITAL_WITHIN if within else _OTHERWISE)
