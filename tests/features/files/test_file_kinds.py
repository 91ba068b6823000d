"""Files that are no table: the sentence names what the bytes show, and what mends it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contract.errors import UnreadableFileError
from features.files.source import find_tables
from features.files.table_files import read_batches, read_column_types
from features.runtime.text import PYTHON
from tests.worlds.sources import required_source, write_csv

STOCK = "listing_id,on_hand_units,inbound_units,event_time,available_at\n"
ROW = "p1-DE,{},0,2024-03-01,2024-03-01\n"
TABLE = STOCK + ROW.format(9)
ZSTD = pa.compress(TABLE.encode(), codec="zstd", asbytes=True)
BROKE_OFF = "Download or export it again, and wait until it is complete."
PAGE = (
    "Open it in a browser. If it shows a login or an error, log in and download the table again; "
    "if it shows the table, open it in Excel and choose File > Save As > CSV UTF-8."
)


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"listing_id": ["p1-DE"] * 9}), buffer)
    return buffer.getvalue()


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, TABLE)
    return buffer.getvalue()


def from_json(suffix: str) -> str:
    return (
        f'Run `{PYTHON} -c "import sys, duckdb; duckdb.read_json(sys.argv[1])'
        f'.write_parquet(sys.argv[2])" {{folder}}/stock{suffix} {{folder}}/stock.table.parquet`, '
        "move the original away, and name the new file stock.parquet."
    )


def unpack(command: str, suffix: str) -> str:
    return (
        f"Run `{command} < {{folder}}/stock{suffix} > {{folder}}/stock.unpacked{suffix}`, move the "
        f"original away, and name the new file stock{suffix}."
    )


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"

KINDS: list[tuple[str, bytes, str, str]] = [
    (".csv", b"", "it is empty (0 bytes)", BROKE_OFF),
    (".parquet", b"", "it is empty (0 bytes)", BROKE_OFF),
    (
        ".csv",
        gzip.compress(TABLE.encode()),
        "its content is compressed with gzip",
        unpack("gunzip", ".csv"),
    ),
    (
        ".parquet",
        gzip.compress(parquet()),
        "its content is compressed with gzip",
        unpack("gunzip", ".parquet"),
    ),
    (
        ".csv",
        ZSTD,
        "its content is compressed with zstd",
        unpack("unzstd", ".csv"),
    ),
    (
        ".csv",
        bz2.compress(TABLE.encode()),
        "its content is compressed with bzip2",
        unpack("bunzip2", ".csv"),
    ),
    (
        ".csv",
        lzma.compress(TABLE.encode()),
        "its content is compressed with xz",
        unpack("unxz", ".csv"),
    ),
    (
        ".csv",
        archive("a.csv", "b.csv"),
        "it is a ZIP archive; it holds a.csv, b.csv",
        (
            "Run `unzip {folder}/stock.csv -d {folder}/stock.unpacked`, and use the file from that "
            "folder."
        ),
    ),
    (
        ".xlsx",
        archive("mimetype", "content.xml"),
        "it is a document of LibreOffice or OpenOffice",
        "There choose File > Save As > Text CSV (.csv) with the character set UTF-8.",
    ),
    (
        ".xlsx",
        archive("xl/workbook.xml")[:-30],
        "it begins as an Excel workbook or ZIP archive, but its end is missing",
        BROKE_OFF,
    ),
    (".xlsx", archive("xl/workbook.xml"), "the workbook is damaged", BROKE_OFF),
    (
        ".csv",
        OLE,
        "it is an Excel workbook of the old kind (.xls)",
        "In Excel choose File > Save As > Excel Workbook (.xlsx).",
    ),
    (
        ".xlsx",
        OLE + "EncryptedPackage".encode("utf-16-le"),
        "it is an Excel workbook with a password",
        (
            "In Excel choose File > Info > Protect Workbook > Encrypt with Password, clear it and "
            "save."
        ),
    ),
    (
        ".xlsx",
        TABLE.encode(),
        "it isn't an Excel workbook",
        "In Excel choose File > Save As > CSV UTF-8 (comma delimited).",
    ),
    (
        ".parquet",
        TABLE.encode(),
        "it isn't Parquet, which begins with PAR1",
        "If it is CSV, run `mv -n {folder}/stock.parquet {folder}/stock.csv`; else write it again.",
    ),
    (
        ".parquet",
        parquet()[:-9],
        "it begins as Parquet, but its end is missing, as in a download that broke off",
        BROKE_OFF,
    ),
    (".parquet", b"PAR1" + bytes(90) + b"PAR1", "its bytes are damaged", BROKE_OFF),
    (
        ".parquet",
        b"PARE" + bytes(90) + b"PARE",
        "it is Parquet with an encrypted footer",
        "Write it again without encryption.",
    ),
    (".csv", b"<!DOCTYPE html><title>Log in", "it is a web page (HTML), not a table", PAGE),
    (".csv", b"\xef\xbb\xbf\r\n  <table><tr><td>", "it is a web page (HTML), not a table", PAGE),
    (
        ".csv",
        b'<?xml version="1.0"?><Workbook/>',
        "it is XML, not a table",
        "If it is from Excel, open it there and choose File > Save As > CSV UTF-8.",
    ),
    (".csv", b'[{"listing_id": "p1-DE"}]', "it is JSON, not a table", from_json(".csv")),
    (".csv", b'\n{"listing_id": "p1"}\n{}', "it is JSON, not a table", from_json(".csv")),
    (
        ".csv",
        b"%PDF-1.7",
        "it is a PDF document, not a table",
        "Export the table as CSV or Excel instead.",
    ),
    (".csv", LFS, "it is a pointer of Git LFS, not the data itself", "Run `git lfs pull`."),
    (".parquet", LFS, "it is a pointer of Git LFS, not the data itself", "Run `git lfs pull`."),
    (
        ".parquet",
        b"/annex/objects/SHA256E-s1--4d7a",
        "it is a pointer of git-annex, not the data itself",
        "Run `git annex get {folder}/stock.parquet`.",
    ),
]


def read_all(directory: Path) -> None:
    for table in find_tables(directory).tables:
        for _ in table.batches():
            pass


@pytest.mark.parametrize(
    ("suffix", "content", "detail", "hint"), KINDS, ids=[kind[2] for kind in KINDS]
)
def test_file_of_another_kind_is_named_with_the_way_out(
    tmp_path: Path, suffix: str, content: bytes, detail: str, hint: str
) -> None:
    write_csv(tmp_path, required_source())
    (tmp_path / f"stock{suffix}").write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        read_all(tmp_path)
    assert str(caught.value) == f"The file stock{suffix} can't be read: {detail}. " + hint.replace(
        "{folder}", str(tmp_path)
    )


@pytest.mark.parametrize(
    ("suffix", "content", "detail", "hint"), KINDS, ids=[kind[2] for kind in KINDS]
)
def test_file_of_another_kind_is_refused_wherever_it_is_read(
    tmp_path: Path, suffix: str, content: bytes, detail: str, hint: str
) -> None:
    file = tmp_path / f"candidates{suffix}"
    file.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        list(read_batches(file, 0))
    assert detail in caught.value.problem
    assert caught.value.hint == hint.replace("stock", "candidates").replace(
        "{folder}", str(tmp_path)
    )


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("-", "it stands for a pipe (-), not a file"),
        ("/dev/null", "it is a device, not a file"),
        ("/", "it is a folder, not a file"),
    ],
)
def test_path_that_is_no_file_is_refused_before_it_is_opened(path: str, detail: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_column_types(Path(path))
    assert f"can't be read: {detail}. " in str(caught.value)
