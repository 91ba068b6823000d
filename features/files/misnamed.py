"""Find data that isn't read because of its name, and say how it gets a name that is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from features.contract.errors import MisnamedTableError, UnreadPartsError
from features.files.file_format import FROM_JSON
from features.files.table_files import SUFFIXES
from features.runtime.text import PYTHON, fold_name, quote_path

_RENAME: Final = "Run `mv {file} {new}`."
_TO_CSV: Final = "Run `mv {file} {csv}`; tabs are read."
_UNPACK: Final = "Run `{command} {{file}}`, and name the result {{csv}}."
_FOLDER: Final = ".folder"
_JSON: Final = (".json", ".jsonl", ".ndjson")

WAYS_OUT: Final = {
    _FOLDER: _RENAME,
    "": "Run `mv {file} {csv}`; its content tells the format.",
    **dict.fromkeys(SUFFIXES, _RENAME),
    **dict.fromkeys((".tsv", ".tab", ".txt"), _TO_CSV),
    **dict.fromkeys((".pq", ".parq"), "Run `mv {file} {parquet}`."),
    ".gz": _UNPACK.format(command="gunzip"),
    ".zst": _UNPACK.format(command="unzstd --rm"),
    ".bz2": _UNPACK.format(command="bunzip2"),
    ".xz": _UNPACK.format(command="unxz"),
    ".zip": "Run `unzip {file} -d {unpacked}`, and name the file from it {csv}.",
    **dict.fromkeys(
        (".xls", ".xlsm", ".xlsb"), "In Excel choose File > Save As > Excel Workbook (.xlsx)."
    ),
    **dict.fromkeys(_JSON, f"Run `{FROM_JSON}`."),
    **dict.fromkeys((".orc", ".avro", ".arrow", ".feather"), "Write it as {parquet} instead."),
}
"""By the last ending of a file: how it becomes a file that is read."""

_COMPRESSED: Final = frozenset({".gz", ".zst", ".bz2", ".xz"})
_WORDS_OF_COPIES: Final = frozenset({"copy", "of"})


def refuse_misnamed(paths: Iterable[Path], absent: list[str]) -> None:
    """Refuse a file that is named nearly like an absent table, so that it isn't left out unseen.

    Raises:
        MisnamedTableError: there is such a file.
    """
    for path, table in find_misnamed(paths, absent):
        raise MisnamedTableError(path.name, table, _suggest(path, table))


def find_misnamed(paths: Iterable[Path], tables: list[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files and folders that are named nearly like a table, each with its table."""
    by_name = {_singular(name): name for name in tables}
    for path in paths:
        table = by_name.get(_singular(_remove_additions(path.name.partition(".")[0])))
        if table and _ending(path) in WAYS_OUT:
            yield path, table


def refuse_unread_parts(folder: Path, strays: Iterable[Path]) -> None:
    """Refuse files in a table's folder that look like data, so that no rows are left out unseen.

    Raises:
        UnreadPartsError: there is such a file.
    """
    unread = [
        path
        for path in strays
        if path.is_file() and path.stat().st_size and _ending(path) in WAYS_OUT
    ]
    if unread:
        way_out = _suggest(unread[0], unread[0].name)  # a shorter name may be another part's
        names = (str(path.relative_to(folder)) for path in unread)
        raise UnreadPartsError(folder, names, way_out)


def _suggest(path: Path, stem: str) -> str:
    """Return the command that gives a file the stem, and an ending that is read."""
    end = _ending(path)
    names = {
        "csv": f"{stem}.csv",
        "parquet": f"{stem}.parquet",
        "unpacked": f"{stem}.unpacked",
        "new": stem if end == _FOLDER else f"{stem}{end}",
    }
    if end in _COMPRESSED:
        names["csv"] = stem.partition(".")[0] + _unpacked_ending(path)
    if end in _JSON:
        names["new"] = names["parquet"]
    quoted = {key: quote_path(path.with_name(name)) for key, name in names.items()}
    return WAYS_OUT[end].format(python=PYTHON, file=quote_path(path), **quoted)


def _unpacked_ending(path: Path) -> str:
    end = Path(path.stem).suffix.lower()
    return end if end in SUFFIXES else ".csv"


def _ending(path: Path) -> str:
    return _FOLDER if path.is_dir() else path.suffix.lower()


def _remove_additions(stem: str) -> str:
    """Return a name without what browsers, exports and people add to it.

    >>> [_remove_additions(stem) for stem in ("orders (1)", "Orders - Copy", "orders_2024-03")]
    ['orders', 'orders', 'orders']
    """
    words = re.findall(r"[^\W\d_]+", stem.lower())
    return "".join(word for word in words if word not in _WORDS_OF_COPIES)


def _singular(name: str) -> str:
    """Return a name without case, signs and its plural."""
    return re.sub("ie$", "y", fold_name(name).removesuffix("s"))
