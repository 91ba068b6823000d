"""Reading the source: files, keys, local times, countries, categories."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from features.contract.errors import UnreadableFileError
from features.importers.online_retail.buyers import (
    PUBLISHED_KEY,
    UnreadableKeyError,
    WeakKeyError,
    buyer_key,
    read_key,
)
from features.importers.online_retail.category_rules import (
    CATEGORY_RULES,
    OTHER,
    CategoryRule,
    categorise,
)
from features.importers.online_retail.date_order import DateOrder
from features.importers.online_retail.lines import find_market, parse_lines
from features.importers.online_retail.local_times import london_to_utc
from features.importers.online_retail.source import (
    SOURCE_NAMES,
    EmptySourceError,
    SourceColumnsError,
    SourceTypeError,
    UnreadableSourceError,
    digest,
    read_source,
)
from features.runtime.errors import DataError

HEADER = ",".join(SOURCE_NAMES)
LONDON = ZoneInfo("Europe/London")


def columns(**changed: object) -> pa.Table:
    values: dict[str, object] = {
        "InvoiceNo": "536365",
        "StockCode": "85123a",
        "Description": " WHITE  HEART ",
        "Quantity": 6.0,
        "InvoiceDate": datetime(2010, 12, 1, 8, 26),  # noqa: DTZ001 - the source's times are naive
        "UnitPrice": 2.55,
        "CustomerID": 17850.0,
        "Country": "United Kingdom",
    }
    return pa.table({name: [value] for name, value in (values | changed).items()})


def line(**changed: object) -> dict[str, object]:
    return dict(parse_lines(columns(**changed)).iloc[0])


def saved(path: Path, table: pa.Table) -> Path:
    pa_parquet.write_table(table, path)
    return path


def test_source_parquet_with_columns_in_another_order_reads_those_it_needs(tmp_path: Path) -> None:
    shuffled = columns().select(list(reversed(SOURCE_NAMES))).append_column("Extra", pa.array([1]))
    assert read_source(saved(tmp_path / "a.parquet", shuffled)).equals(columns())


@pytest.mark.parametrize(
    ("text", "description"),
    [
        (
            "536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom",
            "WHITE HEART",
        ),
        ("536365,85123A,WHITE HEART,6,12/1/2010 8:26,2.55,17850.0,United Kingdom", "WHITE HEART"),
        (
            '536365,85123A,"A, ""B"" £1",6,2010-12-01T08:26:00,2.55,17850,United Kingdom',
            'A, "B" £1',
        ),
        ('536365,85123A,"TWO\nLINES",6,2010-12-01 08:26,2.55,17850,United Kingdom', "TWO LINES"),
    ],
)
def test_source_csv_as_copies_write_it_means_the_same_as_parquet(
    tmp_path: Path, text: str, description: str
) -> None:
    path = tmp_path / "online_retail.csv"
    path.write_text(f"\ufeff{HEADER}\n{text}\n", encoding="utf-8")
    read = parse_lines(read_source(path), DateOrder.MONTH_FIRST)
    pd.testing.assert_frame_equal(read, parse_lines(columns(Description=description)))


def test_source_workbook_means_the_same_as_parquet(tmp_path: Path) -> None:
    path = tmp_path / "Online Retail.xlsx"
    table = columns()
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet("Online Retail")
        sheet.write_row(0, 0, table.column_names)
        sheet.write_row(1, 0, [table[name][0].as_py() for name in table.column_names])
    pd.testing.assert_frame_equal(parse_lines(read_source(path)), parse_lines(table))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty (0 bytes). Download or export it again"),
        (b"PAR1\x15\x04 but no more", "it begins as Parquet, but its end is missing"),
        (b"PK\x03\x04...", "it begins as an Excel workbook or ZIP archive, but its end is missing"),
        (f"{HEADER}\n1,jane\n".encode(), "row 1 has too few or too many cells. Write the file"),
        (f"{HEADER}\n1,2,Größe,4,5,6,7,8\n".encode("latin-1"), "iconv -f WINDOWS-1252 -t UTF-8"),
    ],
)
def test_source_of_another_format_is_refused_with_the_way_out(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "source"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        read_source(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith("The file source can't be read: ")
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "detail"), [("absent", "No such file or directory"), ("", "it is a folder")]
)
def test_source_that_is_no_file_is_refused(tmp_path: Path, name: str, detail: str) -> None:
    with pytest.raises((UnreadableSourceError, UnreadableFileError), match=detail):
        read_source(tmp_path / name)


def test_source_without_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n")
    with pytest.raises(EmptySourceError, match="a header, but no lines"):
        read_source(path)


def test_source_without_two_of_the_columns_names_them_and_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,CustomerID,Country\n")
    with pytest.raises(SourceColumnsError) as caught:
        read_source(path)
    assert str(caught.value) == (
        "The source lacks InvoiceNo, UnitPrice. Its columns are Invoice, StockCode, Description, "
        "Quantity, InvoiceDate, Price, CustomerID, Country. "
        "Rename the columns; Online Retail has InvoiceNo, StockCode, Description, Quantity, "
        "InvoiceDate, UnitPrice, CustomerID, Country. More columns and any order are fine."
    )


def test_source_with_a_column_named_twice_is_refused_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    names = ["\x1b[31m" * 900, "Country", HEADER, *(f"c{i}" for i in range(500))]
    path.write_text(",".join(names) + "\n")
    with pytest.raises(SourceColumnsError, match="has Country more than once") as caught:
        read_source(path)
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Quantity": True}, "The column Quantity has the type bool, but should hold numbers."),
        ({"InvoiceNo": True}, "The column InvoiceNo has the type bool, but should hold text."),
        ({"Country": ["GB"]}, "The column Country has the type list"),
        (
            {"InvoiceDate": datetime(2010, 12, 1, tzinfo=UTC)},
            "timestamp[us, tz=UTC], but should hold UK local times without a time zone.",
        ),
    ],
)
def test_source_column_of_another_type_is_refused(
    tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    with pytest.raises(SourceTypeError) as caught:
        read_source(saved(tmp_path / "a.parquet", columns(**changed)))
    assert message in str(caught.value)


def test_source_without_sales_names_the_number_of_lines() -> None:
    assert str(EmptySourceError(1_234)) == (
        "None of the 1,234 lines of the source is a sale of a product. Check that InvoiceDate, "
        "Quantity and UnitPrice hold times and numbers, and that the columns mean what they mean "
        "in Online Retail."
    )


def test_digest_of_known_bytes_is_their_sha256(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("changed", "column", "meaning"),
    [
        ({}, "product_id", "85123A"),
        ({"StockCode": " 85123a "}, "product_id", "85123A"),
        ({"StockCode": 22423}, "product_id", "22423"),
        ({"StockCode": "a" * 100}, "product_id", "A" * 100),
        ({"StockCode": 22423.0}, "product_id", "22423"),
        ({"StockCode": "22423.0"}, "product_id", "22423"),
        ({"InvoiceNo": 536365.0}, "invoice", "536365"),
        ({"InvoiceNo": "\u00a0536365 "}, "invoice", "536365"),
        ({}, "description", "WHITE HEART"),
        ({}, "units", 6),
        ({"Quantity": " +6.0\u3000"}, "units", 6),
        ({"Quantity": "-12"}, "units", -12),
        ({"Quantity": Decimal("3.0")}, "units", 3),
        ({}, "price_minor", 255),
        ({"UnitPrice": 1.005}, "price_minor", 100),
        ({"UnitPrice": "649.5"}, "price_minor", 64_950),
        ({"UnitPrice": 0.001}, "price_minor", 0),
        ({"CustomerID": "17850.0"}, "customer", "17850"),
        ({"CustomerID": 17850}, "customer", "17850"),
        ({"CustomerID": "wholesale-7"}, "customer", "wholesale-7"),
        ({"CustomerID": "jane@shop.example"}, "customer", "jane@shop.example"),
        ({"Country": "EIRE"}, "market", "IE"),
        ({}, "order_line_id", "536365-0001"),
    ],
)
def test_line_value_is_read_as_what_it_means(
    changed: dict[str, object], column: str, meaning: object
) -> None:
    assert line(**changed)[column] == meaning


@pytest.mark.parametrize(
    ("column", "value", "read_as"),
    [
        ("InvoiceNo", " ", "invoice"),
        ("InvoiceNo", "53;6365", "invoice"),
        ("StockCode", "../85123A'", "product_id"),
        ("StockCode", "a" * 101, "product_id"),
        ("StockCode", "85\n123A\u202e", "product_id"),
        ("Quantity", 1.5, "units"),
        ("Quantity", float("nan"), "units"),
        ("Quantity", float("inf"), "units"),
        ("Quantity", 1e10, "units"),
        ("Quantity", "six", "units"),
        ("UnitPrice", "two", "price_minor"),
        ("UnitPrice", 1e9, "price_minor"),
        ("UnitPrice", None, "price_minor"),
        ("InvoiceDate", "yesterday", "event_time"),
        ("InvoiceDate", "1999-12-31 23:59:00", "event_time"),
        ("InvoiceDate", datetime(9999, 1, 1), "event_time"),  # noqa: DTZ001 - naive, as read
        ("InvoiceDate", "2011-03-27 01:30:00", "event_time"),
        ("CustomerID", None, "customer"),
        ("CustomerID", "NULL", "customer"),
        ("CustomerID", "1.785E+04", "customer"),
        ("InvoiceNo", "5.36E+05", "invoice"),
        ("StockCode", "nan", "product_id"),
        ("UnitPrice", "2,55", "price_minor"),
        ("InvoiceDate", "2010-12-01 08:26:00 CST", "event_time"),
        ("Country", "Unspecified", "market"),
        ("Country", None, "market"),
    ],
)
def test_line_value_that_means_nothing_is_null(column: str, value: object, read_as: str) -> None:
    assert pd.isna(line(**{column: value})[read_as])  # type: ignore[call-overload]  # a row's value


@given(
    st.datetimes(
        min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the clocks of London tell naive times
        max_value=datetime(2037, 12, 31),  # noqa: DTZ001 - likewise
    )
    | st.sampled_from([date(year, 10, 25) for year in (2009, 2015, 2020)]).flatmap(
        lambda day: st.integers(0, 240).map(
            lambda minutes: datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - likewise
        )
    )
)
def test_clock_of_london_agrees_with_a_search_of_all_utc_times(local: datetime) -> None:
    possible = [local - timedelta(hours=hours) for hours in (0, 1)]
    fitting = [
        utc
        for utc in possible
        if utc.replace(tzinfo=UTC).astimezone(LONDON).replace(tzinfo=None) == local
    ]
    actual = london_to_utc(pd.Series([local], dtype="datetime64[us]")).iloc[0]
    assert actual == max(fitting) if fitting else pd.isna(actual)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2010-12-01 08:26", "2010-12-01 08:26"),
        ("2011-06-01 08:26", "2011-06-01 07:26"),
        ("2011-10-30 01:30", "2011-10-30 01:30"),
        ("2011-03-27 02:00", "2011-03-27 01:00"),
    ],
)
def test_clock_of_london_in_winter_summer_and_between(local: str, utc: str) -> None:
    times = pd.Series(pd.to_datetime([local]), dtype="datetime64[us]")
    assert london_to_utc(times).iloc[0] == pd.Timestamp(utc)


@pytest.mark.parametrize(
    ("country", "market"),
    [
        ("United Kingdom", "GB"),
        ("RSA", "ZA"),
        ("USA", "US"),
        ("Czech Republic", "CZ"),
        ("Channel Islands", None),
        ("European Community", None),
        ("Unspecified", None),
    ],
)
def test_market_of_a_country_is_its_iso_code(country: str, market: str | None) -> None:
    assert find_market(country) == market


def test_buyer_key_is_the_hmac_of_rfc_4231() -> None:
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert buyer_key("what do ya want for nothing?", b"Jefe") == expected


def test_key_file_is_taken_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "pseudonyms.key"
    path.write_bytes(b"sixteen bytes ..\n")
    assert read_key(path) == b"sixteen bytes ..\n"
    assert buyer_key("17850", read_key(path)) != buyer_key("17850", PUBLISHED_KEY)


@pytest.mark.parametrize(("length", "shown"), [(0, "0"), (15, "15"), (5_000, "more")])
def test_key_too_short_or_too_long_is_refused_without_showing_it(
    tmp_path: Path, length: int, shown: str
) -> None:
    path = tmp_path / "pseudonyms.key"
    path.write_bytes(b"k" * length)
    with pytest.raises(WeakKeyError) as caught:
        read_key(path)
    assert str(caught.value) == (
        f"The key must have 16 to 4,096 bytes; this one has {shown}. "
        "Make one with: head -c 32 /dev/urandom > pseudonyms.key."
    )


def test_key_file_that_is_absent_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableKeyError, match="be read: No such file or directory") as caught:
        read_key(tmp_path / "absent.key")
    assert isinstance(caught.value, DataError)


@pytest.mark.parametrize(
    ("description", "category"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "candle_holders_and_lanterns"),
        ("Paper Chain Kit 50's Christmas ", "christmas"),
        ("SCOTTIE DOG HOT WATER BOTTLE", "warmers"),
        ("REGENCY CAKESTAND 3 TIER", "baking"),
        ("MAKE YOUR OWN PLAYTIME CARD KIT", "craft_and_sewing"),
        ("CARD DOLLY GIRL", "greeting_cards"),
        ("PLAYING CARDS VINTAGE DOILEY", "toys_and_games"),
        ("LUNCH BOX WITH CUTLERY RETROSPOT", "lunch_and_picnic"),
        ("PINK/PURPLE RETRO RADIO", "other"),
        ("THE CUPOLA", "other"),
        ("", "other"),
    ],
)
def test_category_is_that_of_the_first_rule_with_a_whole_word(
    description: str, category: str
) -> None:
    assert categorise(description).category == category


def test_category_rules_give_each_category_one_parent() -> None:
    pairs = {(rule.category, rule.parent_category) for rule in (*CATEGORY_RULES, OTHER)}
    assert len(pairs) == len({category for category, _ in pairs})


@pytest.mark.parametrize("rule", CATEGORY_RULES, ids=lambda rule: rule.category)
def test_category_rule_has_phrases_as_they_are_compared(rule: CategoryRule) -> None:
    assert all(phrase and categorise(phrase) is not OTHER for phrase in rule.phrases)
    assert len(set(rule.phrases)) == len(rule.phrases)
