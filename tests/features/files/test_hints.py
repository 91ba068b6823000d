"""Commands in hints: followed as they are printed, they mend the file and keep the original."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from features.files.source import find_tables
from features.files.table_files import read_batches
from features.runtime.errors import DataError
from tests.worlds.sources import required_source, write_csv

STOCK = "listing_id,on_hand_units,inbound_units,event_time,available_at\n"
TABLE = STOCK + "Größe-Fuß,9,0,2024-03-01,2024-03-01\n"
JSON = (
    '{"listing_id": "Größe-Fuß", "on_hand_units": 9, "inbound_units": 0, '
    '"event_time": "2024-03-01", "available_at": "2024-03-01"}\n'
)


def in_quotes(text: str) -> str:
    return "".join(f'"{line}"\n' for line in text.splitlines())


@pytest.mark.parametrize("folder", ["data", "it's", "a b\x1b"])
@pytest.mark.parametrize(
    ("program", "content"),
    [
        ("iconv", TABLE.encode("cp1252")),
        ("iconv", TABLE.encode("utf-16-le")),
        ("tail", f"Report\n\n{TABLE}".encode()),
        ("gunzip", gzip.compress(TABLE.encode())),
        ("python", in_quotes(TABLE).encode()),
        ("python", JSON.encode()),
    ],
)
def test_command_of_a_hint_mends_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, program: str, content: bytes
) -> None:
    if not shutil.which("bash") or not (shutil.which(program) or program == "python"):
        pytest.skip(f"this machine has no bash or no {program}")
    monkeypatch.chdir(tmp_path)
    file = write_csv(Path(folder), required_source()) / "stock.csv"
    file.write_bytes(content)
    hint = run_hint(lambda: read_stock(file.parent))
    assert file.read_bytes() == content
    file.rename("original")
    new = next(path for path in file.parent.iterdir() if path.name.startswith("stock."))
    assert new.name in hint
    new.rename(file.with_name(hint.split("name the new file ")[1].split(". ")[0].rstrip(".")))
    assert read_stock(file.parent) == ["Größe-Fuß"]


def run_hint(read: Callable[[], object]) -> str:
    """Run the command of the hint with which a reading fails, and return the hint."""
    with pytest.raises(DataError) as caught:
        read()
    hint = caught.value.hint
    assert hint.isprintable()
    command = re.findall("`([^`]*)`", hint)[0]
    subprocess.run(["bash", "-c", command], check=True, env={**os.environ, "PYTHONUTF8": "1"})
    return hint


def read_stock(directory: Path) -> list[str]:
    stock = next(source for source in find_tables(directory).tables if source.table.name == "stock")
    batches = [batch for file in stock.files for batch in read_batches(file, 0)]
    return [cell for batch in batches for cell in batch.cells["listing_id"].to_pylist()]
