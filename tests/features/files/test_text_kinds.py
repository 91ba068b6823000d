"""Text that isn't UTF-8, and text that broke off: the likely encoding, the line, the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.contract.errors import UnreadableFileError
from features.files.table_files import read_batches

STOCK = "listing_id,on_hand_units,inbound_units,event_time,available_at\n"
ROW = "p1-DE,{},0,2024-03-01,2024-03-01\n"
TABLE = STOCK + ROW.format(9)
BROKE_OFF = "Download or export it again, and wait until it is complete."


IN_EXCEL = "In Excel choose File > Save As > CSV UTF-8 (comma delimited)."


def iconv(name: str, other: str = "") -> str:
    """Return the hint, in which the folder of the file is {folder}."""
    return (
        f"Run `iconv -f {name} -t UTF-8 {{folder}}/stock.csv > {{folder}}/stock.utf8.csv`, move "
        f"the original away, and name the new file stock.csv. {other}Or in "
        "Excel choose File > Save As > CSV UTF-8 (comma delimited)."
    )


@pytest.mark.parametrize(
    ("content", "detail", "hint"),
    [
        (
            (STOCK + ROW.format("手机壳")).encode("gbk"),
            "it isn't UTF-8 (line 2); its bytes look like GB18030 (Chinese) or EUC-JP (Japanese)",
            iconv("GB18030", "If the text is then wrong, use `-f EUC-JP`. "),
        ),
        (
            (STOCK + ROW.format("7") * 3 + ROW.format("スマホ")).encode("cp932"),
            "it isn't UTF-8 (line 5); its bytes look like Shift_JIS (Japanese)",
            iconv("CP932"),
        ),
        (
            (STOCK + ROW.format("連衣裙夏季新款")).encode("big5"),
            "it isn't UTF-8 (line 2); its bytes look like Big5 (Chinese)",
            iconv("BIG5"),
        ),
        (
            (STOCK + ROW.format("Größe")).encode("latin-1"),
            "it isn't UTF-8 (line 2); its bytes look like Windows-1252 (Western)",
            iconv("WINDOWS-1252"),
        ),
        (
            (STOCK.replace(",", ",Maß ", 1) + ROW.format(1)).encode("cp1252"),
            "it isn't UTF-8 (line 1); its bytes look like Windows-1252 (Western)",
            iconv("WINDOWS-1252"),
        ),
        (
            TABLE.encode("utf-16-le"),
            "its bytes look like UTF-16LE without a byte order mark",
            iconv("UTF-16LE"),
        ),
        (
            TABLE.encode("utf-16-be"),
            "its bytes look like UTF-16BE without a byte order mark",
            iconv("UTF-16BE"),
        ),
        (
            TABLE.encode("utf-32"),
            "its first bytes are the mark of UTF-32LE",
            iconv("UTF-32LE"),
        ),
        (
            (STOCK + ROW.format("램프")).encode("cp949"),
            "it isn't UTF-8 (line 2)",
            IN_EXCEL,
        ),
        (
            (STOCK + ROW.format("é" * 9)).encode()[:-40],
            "it ends within a character (line 2), as in a download that broke off",
            BROKE_OFF,
        ),
        (
            f"{STOCK}{ROW.format('Größe')}".encode() + ROW.format("Größe").encode("cp1252"),
            ("it is UTF-8 before line 3, but there its bytes look like Windows-1252 (Western)"),
            "Two files seem to be joined: convert each to UTF-8 before you join them.",
        ),
        (
            f'"{TABLE}'.encode(),
            "a quote in its header never closes",
            "Write the file again from its source; CSV is UTF-8 with commas.",
        ),
        (bytes(4096), "it holds binary data, not text", BROKE_OFF),
        (
            f"{STOCK}p1-DE,{'x' * (40 << 20)},0,1,2\n".encode(),
            "a row in it is longer than 16 MB; perhaps a quote never closes",
            "Write the file again from its source; CSV is UTF-8 with commas.",
        ),
        (
            b"x" * (2 << 20),
            "its first line doesn't end within 1,048,576 bytes",
            "Write the file again from its source; CSV is UTF-8 with commas.",
        ),
    ],
)
def test_text_of_another_kind_is_named_with_the_way_out(
    tmp_path: Path, content: bytes, detail: str, hint: str
) -> None:
    file = tmp_path / "stock.csv"
    file.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        list(read_batches(file, 0))
    assert str(caught.value) == f"The file stock.csv can't be read: {detail}. " + hint.format(
        folder=tmp_path
    )
