"""Find the format of a file by its first bytes, and say what to do with one that is no table."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO, Final

from features.contract.errors import UnreadableFileError
from features.runtime.text import PYTHON, escape, join_names, quote_path, suggest_rewriting

HEAD_BYTES: Final = 1 << 16
SAVE_AS_CSV: Final = "In Excel choose File > Save As > CSV UTF-8 (comma delimited)."
DOWNLOAD_AGAIN: Final = "Download or export it again, and wait until it is complete."


class FileFormat(Enum):
    """A format that tables are read from."""

    CSV = auto()
    PARQUET = auto()
    WORKBOOK = auto()


_NO_FILES: Final[tuple[tuple[Callable[[int], bool], str, str], ...]] = (
    (stat.S_ISDIR, "it is a folder, not a file", "Name a file in it."),
    (stat.S_ISFIFO, "it is a pipe, not a file", "Write what it gives to a file first."),
    (stat.S_ISSOCK, "it is a socket, not a file", "Write what it gives to a file first."),
    (stat.S_ISCHR, "it is a device, not a file", "Write what it gives to a file first."),
    (stat.S_ISBLK, "it is a device, not a file", "Name a file on it."),
)

_COMPRESSED: Final = (
    (rb"\x1f\x8b", "gzip", "gunzip"),
    (rb"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "bzip2", "bunzip2"),
    (rb"\xfd7zXZ\x00", "xz", "unxz"),
)
"""Patterns of the first bytes of compressed contents: the program's name, the one that unpacks."""

_FOREIGN: Final = (
    (
        rb"PARE(?=.*[\x00-\x08\x0e-\x1f])",
        "it is Parquet with an encrypted footer",
        "Write it again without encryption.",
    ),
    (rb"%PDF-\d", "it is a PDF document, not a table", "Export the table as CSV or Excel instead."),
    (
        rb"version https://git-lfs",
        "it is a pointer of Git LFS, not the data itself",
        "Run `git lfs pull`.",
    ),
    (
        rb"/annex/objects/",
        "it is a pointer of git-annex, not the data itself",
        "Run `git annex get {file}`.",
    ),
    (
        rb"<\?xml",
        "it is XML, not a table",
        "If it is from Excel, open it there and choose File > Save As > CSV UTF-8.",
    ),
    (
        rb"(?i)<(!doctype|html|head|title|meta|script|body|div|p|table)\b",
        "it is a web page (HTML), not a table",
        (
            "Open it in a browser. If it shows a login or an error, log in and download the table "
            "again; if it shows the table, open it in Excel and choose File > Save As > CSV UTF-8."
        ),
    ),
    (rb'\{\s*["}]', "it is JSON, not a table", "{from_json}"),
    (rb'\[\s*[\[{"\]\d]', "it is JSON, not a table", "{from_json}"),
)
"""Patterns of the first bytes of formats that aren't read: what it is, and the way out."""

FROM_JSON: Final = (
    '{python} -c "import sys, duckdb; '
    'duckdb.read_json(sys.argv[1]).write_parquet(sys.argv[2])" {file} {new}'
)
_OLE_START: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_ZIP_STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06")
PARQUET_MARK: Final = b"PAR1"


def detect_format(file: Path) -> FileFormat:
    """Return the format of a file by its content; a text of unknown kind counts as CSV.

    Raises:
        UnreadableFileError: it is no file, is empty, or is of a format that isn't read.
    """
    refuse_no_file(file)
    with file.open("rb") as data:
        head = data.read(HEAD_BYTES)
        if not head:
            raise UnreadableFileError(file, "it is empty (0 bytes)", DOWNLOAD_AGAIN)
        is_named = file.suffix.lower() == ".parquet"
        if head.startswith(PARQUET_MARK) and (is_named or not _is_text(head)):
            _refuse_cut_parquet(file, data)
            return FileFormat.PARQUET
    if head.startswith(_ZIP_STARTS):
        _refuse_other_archive(file)
        return FileFormat.WORKBOOK
    _refuse_compressed(file, head)
    _refuse_foreign(file, head)
    _refuse_wrong_name(file)
    return FileFormat.CSV


def refuse_no_file(file: Path) -> None:
    """Refuse a folder, a pipe, a socket or a device, which may block or never end.

    Raises:
        UnreadableFileError: the path is something else than a file.
        OSError: there is nothing at the path.
    """
    if file.name == "-" and not file.exists():
        detail = "it stands for a pipe (-), not a file"
        raise UnreadableFileError(file, detail, "Write what it gives to a file first.")
    mode = file.stat().st_mode
    for is_kind, detail, hint in _NO_FILES:
        if is_kind(mode):
            raise UnreadableFileError(file, detail, hint)


def _is_text(head: bytes) -> bool:
    """Return True for bytes without control characters: a header of CSV may begin like Parquet."""
    return re.search(rb"[\x00-\x08\x0e-\x1f]", head) is None


def _refuse_cut_parquet(file: Path, data: BinaryIO) -> None:
    data.seek(-min(file.stat().st_size, len(PARQUET_MARK)), 2)
    if data.read() != PARQUET_MARK or file.stat().st_size <= 2 * len(PARQUET_MARK):
        detail = "it begins as Parquet, but its end is missing, as in a download that broke off"
        raise UnreadableFileError(file, detail, DOWNLOAD_AGAIN)


def _refuse_other_archive(file: Path) -> None:
    """Refuse a ZIP archive that isn't an Excel workbook."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        detail = "it begins as an Excel workbook or ZIP archive, but its end is missing"
        raise UnreadableFileError(file, detail, DOWNLOAD_AGAIN) from error
    if "xl/workbook.xml" in names:
        return
    if "mimetype" in names:
        detail = "it is a document of LibreOffice or OpenOffice"
        hint = "There choose File > Save As > Text CSV (.csv) with the character set UTF-8."
        raise UnreadableFileError(file, detail, hint)
    detail = f"it is a ZIP archive; it holds {join_names(names, limit=3)}"
    folder = quote_path(file.with_name(f"{file.stem}.unpacked"))
    hint = f"Run `unzip {quote_path(file)} -d {folder}`, and use the file from that folder."
    raise UnreadableFileError(file, detail, hint)


def _refuse_compressed(file: Path, head: bytes) -> None:
    for start, program, command in _COMPRESSED:
        if re.match(start, head):
            detail = f"its content is compressed with {program}"
            hint = suggest_rewriting(f"{command} <", file, "unpacked")
            raise UnreadableFileError(file, detail, hint)


def _refuse_foreign(file: Path, head: bytes) -> None:
    """Refuse a content whose first bytes show that it is no table."""
    if head.startswith(_OLE_START):
        _refuse_old_workbook(file)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for sign, detail, hint in _FOREIGN:
        if re.match(sign, start, re.DOTALL):
            command = hint.format(file=quote_path(file), from_json=_convert_json(file))
            raise UnreadableFileError(file, detail, command)


def _convert_json(file: Path) -> str:
    new = file.with_name(f"{file.stem}.table.parquet")
    command = FROM_JSON.format(python=PYTHON, file=quote_path(file), new=quote_path(new))
    name = escape(f"{file.stem}.parquet")
    return f"Run `{command}`, move the original away, and name the new file {name}."


def _refuse_old_workbook(file: Path) -> None:
    with file.open("rb") as data:
        is_encrypted = _ENCRYPTED in data.read(1 << 20)
    if is_encrypted:
        detail = "it is an Excel workbook with a password"
        hint = "In Excel choose File > Info > Protect Workbook > Encrypt with Password, clear it "
        raise UnreadableFileError(file, detail, hint + "and save.")
    detail = "it is an Excel workbook of the old kind (.xls)"
    hint = "In Excel choose File > Save As > Excel Workbook (.xlsx)."
    raise UnreadableFileError(file, detail, hint)


def _refuse_wrong_name(file: Path) -> None:
    """Refuse a content of unknown kind under the name of another format."""
    if file.suffix.lower() == ".parquet":
        detail = "it isn't Parquet, which begins with PAR1"
        command = f"mv -n {quote_path(file)} {quote_path(file.with_suffix('.csv'))}"
        hint = f"If it is CSV, run `{command}`; else write it again."
        raise UnreadableFileError(file, detail, hint)
    if file.suffix.lower() == ".xlsx":
        raise UnreadableFileError(file, "it isn't an Excel workbook", SAVE_AS_CSV)
