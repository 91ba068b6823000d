"""Read identifiers: one form for each, and the reason why a text isn't one.

`check`, `score`, HTTP and importers all call these functions, so that an identifier that one of
them reads is found by the others.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 128
SIGNS: Final = "_.-:|/+ &'#(),=>" + "\u2019\u2013\u00b7\u30fb\uff08\uff09\u3001\uff0c\uff06"
"""The signs beside letters, digits, marks and joiners; the last nine are typographic and wide.

Left out are those that begin a value or a command elsewhere: double quotes, `<`, `;`, `$`, `%`,
`@`, `\\`, `*`, `?` and others. Keys, SQL, CSV and JSON hold the admitted ones as they are.
"""
JOINERS: Final = "\u200c\u200d"
"""Invisible, but part of words in Persian, Hindi and Khmer."""
_SPACES: Final = (
    " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
BLANKS: Final = _SPACES + "\t\u200b\u2060\ufeff"
"""What is trimmed at the ends: blanks of any width or none, and the byte order mark.

Line breaks are no blanks: a cell that ends in one was cut out of something else.
"""
MISSING_WORDS: Final = frozenset(
    {"None", "NULL", "null", "nan", "NaN", "NaT", "<NA>", "N/A", "n/a", "#N/A", "\\N"}
)
"""Words that programs write for a missing value; `NA` is Namibia."""
_SIMPLE: Final = "[A-Za-z0-9_|:/#&()=>-]"
_DOTTED: Final = rf"(?:[.+,']?{_SIMPLE})*"
PLAIN: Final = (
    rf"[A-Z]{{1,3}}|{_SIMPLE}*[0-9]{_SIMPLE}*|{_SIMPLE}(?:{_SIMPLE}| ){{3,}}{_SIMPLE}"
    rf"|[A-Za-z]{_DOTTED}[0-9]{_DOTTED}|[0-9]+\.[1-9][0-9]*"
)
"""Texts that are identifiers in their one form already, if they aren't too long.

Most are, so that one look is all that they cost (docs/decisions/reading-cells.md). Any other text
may be one too. Words for a missing value have at most four signs, neither three capitals nor a
digit; rounded and whole floats begin with a digit and have a point or a comma. The length isn't
in the pattern: a bounded repetition makes Arrow's automaton large and slow.
"""
ROUNDED: Final = "a number that a spreadsheet rounded; export it again, as text"
"""The fault of a number that stands for many."""

_ENDS: Final = BLANKS + JOINERS
_PLAIN_SPACES: Final = str.maketrans(dict.fromkeys(_SPACES, " "))
_PLAIN: Final = re.compile(PLAIN)
_ADMITTED: Final = re.compile(rf"[\w{re.escape(SIGNS + JOINERS)}]*")
WHOLE_FLOAT: Final = r"(-?[0-9]+)\.00?"
"""Three zeros may be thousands instead: `1.000` is left as it is."""
_WHOLE_FLOAT: Final = re.compile(WHOLE_FLOAT)
_ROUNDED_FORM: Final = re.compile(r"-?[0-9]([.,][0-9]+[eE]\+?|[eE]\+)[0-9]{2,3}")
_PARENT: Final = re.compile(r"(.*/)?\.\.(/.*)?", re.DOTALL)


def read_identifier(text: str) -> str | None:
    """Return the one form of an identifier; None for a missing value or a text that isn't one.

    >>> read_identifier(" 17850.0"), read_identifier("'NULL"), read_identifier("cash@counter")
    ('17850', None, None)
    """
    if len(text) <= MAX_CHARACTERS and _PLAIN.fullmatch(text):
        return text
    canonical = canonical_identifier(text)
    is_read = not _is_missing(canonical) and find_identifier_fault(canonical) is None
    return canonical if is_read else None


def canonical_identifier(text: str) -> str:
    """Return the one form of an identifier; `find_identifier_fault` says whether it is one.

    Blanks at the ends are trimmed, and so is one `'` in front, a spreadsheet's mark for text; a
    fixed or wide blank inside becomes a plain one. Letters are composed (NFC). A whole number with
    a fraction of one or two zeros, as programs write integer columns with gaps, becomes its digits.

    >>> canonical_identifier(" 17850.0"), canonical_identifier("'007"), canonical_identifier("1.5")
    ('17850', '007', '1.5')
    """
    composed = unicodedata.normalize("NFC", text).translate(_PLAIN_SPACES).strip(_ENDS)
    bare = composed.removeprefix("'").strip(_ENDS)
    whole = _WHOLE_FLOAT.fullmatch(bare)
    return whole.group(1) if whole else bare


def is_missing(text: str) -> bool:
    """Return True for a blank text and for a word that programs write for a missing value.

    >>> is_missing(" "), is_missing("'NULL"), is_missing("NA")
    (True, True, False)
    """
    return _is_missing(canonical_identifier(text))


def _is_missing(canonical: str) -> bool:
    return not canonical or canonical in MISSING_WORDS


def find_identifier_fault(canonical: str) -> str | None:
    """Return why a canonical text isn't an identifier; None for an identifier.

    The faults are few, whatever the texts are: reports count them.

    >>> find_identifier_fault("5.76E+17")
    'a number that a spreadsheet rounded; export it again, as text'
    >>> find_identifier_fault("cash@counter")
    'has the sign @'
    """
    if not canonical:
        return "blank"
    if len(canonical) > MAX_CHARACTERS:
        return f"longer than {MAX_CHARACTERS} characters"
    if canonical.startswith("'"):
        return "begins with the sign '"
    if _ROUNDED_FORM.fullmatch(canonical):
        return ROUNDED
    if _PARENT.fullmatch(canonical):
        return "has .. as a part, as in a path"
    return None if _ADMITTED.fullmatch(canonical) else _find_sign_fault(canonical)


def _find_sign_fault(text: str) -> str | None:
    refused = next((char for char in text if not _is_admitted(char)), None)
    if refused is None:
        return None
    if refused < "\x80":
        return f"has the sign {refused}" if refused.isprintable() else _NAMES["Cc"]
    return _NAMES.get(unicodedata.category(refused), "has a sign that isn't allowed")


def _is_admitted(char: str) -> bool:
    is_mark = unicodedata.category(char).startswith("M")
    return is_mark or _ADMITTED.fullmatch(char) is not None


_NAMES: Final = {
    "Cc": "has a line break, a tab or a control character",
    "Zl": "has a line break, a tab or a control character",
    "Zp": "has a line break, a tab or a control character",
    "Cf": "has an invisible sign",
    "Cs": "isn't Unicode",
    "So": "has an emoji or a picture sign",
}
