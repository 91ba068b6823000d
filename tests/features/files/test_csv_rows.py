"""CSV reading: the streaming parser agrees with Python's own, and all rows keep their order."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import features.files.csv_rows
from features.contract.errors import UnreadableFileError
from features.files.csv_rows import read_csv_rows

CELLS = st.sampled_from(["", "x", "y,z", "q\nr", 'i"n', "手机", "7", " "])
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=12)


def as_csv(rows: list[list[str]], sign: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", delimiter=sign).writerows(rows)
    return text.getvalue()


def slow_rows(text: str, sign: str) -> list[tuple[list[str | None], bool]]:
    """Read with Python's parser: the cells of each row, fitted to the header, and if malformed."""
    header, *rows = [row for row in csv.reader(io.StringIO(text), delimiter=sign) if row]
    width, found = len(header), []
    for row in rows:
        cells = (row + [""] * width)[: max(width, len(row))]
        surplus = cells[width:] if any(cells[width:]) else []
        cells = [*cells[: width - 1], ",".join([cells[width - 1], *surplus])]
        is_malformed = len(row) < width or any(row[width:])
        found.append(([cell or None for cell in cells], is_malformed))
    return found


def fast_rows(file: Path) -> list[tuple[list[str | None], bool]]:
    found = []
    for cells, is_malformed in read_csv_rows(file):
        assert cells.num_rows == len(is_malformed) > 0
        rows = (list(row.values()) for row in cells.to_pylist())
        found += list(zip(rows, is_malformed.tolist(), strict=True))
    return found


@pytest.mark.parametrize("block_bytes", [64, 1 << 20])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(rows=[["x"], ["7", "7", "7", "7"], ["x", "y,z"], ["7"]], sign=",", encoding="utf-8-sig")
@given(
    rows=ROWS,
    sign=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_csv_rows_of_any_shape_agree_with_the_slow_parser(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    block_bytes: int,
    rows: list[list[str]],
    sign: str,
    encoding: str,
) -> None:
    monkeypatch.setattr(features.files.csv_rows, "BLOCK_BYTES", block_bytes)
    text = as_csv([["a", "b", "c"], *rows], sign)
    file = tmp_path / "table.csv"
    file.write_text(text, encoding=encoding, newline="")
    assert fast_rows(file) == slow_rows(text, sign)


@pytest.mark.parametrize(
    "text",
    ['a,b\n1,"x\n2,y\n', 'a,b\n"1,x\n2,y\n', 'a,b\n1,2\n"3,4\n5\n', 'a,b\n1\n2,"3\n4,5\n'],
)
def test_csv_rows_with_a_quote_that_never_closes_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="a quote in it never closes"):
        fast_rows(file)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ('a,b\n1,"x\n\n"\n', "x\n\n"),
        ('a,b\n1,5" pipe\n', '5" pipe'),
        ("a,b\r\n1,2\r\n", "2"),
        ("a,b\n1,2", "2"),
        ("\n\na,b\n\n1,2\n\n\n", "2"),
    ],
)
def test_csv_rows_written_by_hand_keep_their_last_cell(
    tmp_path: Path, text: str, last: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(text.encode())
    assert fast_rows(file) == [(["1", last], False)]


@pytest.mark.parametrize("text", ["", "\n", "a,b", "a,b\n", "\ufeffa,b\n\n"])
def test_csv_rows_without_a_row_are_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    assert fast_rows(file) == []
