"""The files of a chain in the decision log: their names, and the records beside them.

A log directory has one directory a worker, `worker-00` and so on. There each file's Parquet
metadata has the SHA-256 of the file before it. `head.json` names the newest file, and
`retention.json` the newest of those that were deleted for their age.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Meta

from features.runtime.atomic import write_atomically
from features.runtime.plain_file import RefusedReadError, read_plain
from serving.decision_log.columns import SCHEMA
from serving.decision_log.errors import BrokenLogFileError

FORMAT: Final = b"1"
PRIVATE_FILE: Final = 0o600
HEAD: Final = "head.json"
RETENTION: Final = "retention.json"
LOCK: Final = "lock"
CHAIN_NAME: Final = re.compile(r"worker-\d{2,}")
HOUR: Final = "%Y-%m-%dT%H"
_NAME: Final = re.compile(r"(?P<hour>\d{4}-\d\d-\d\dT\d\d)-(?P<number>\d{8,18})\.parquet")
_MAX_RECORD_BYTES: Final = 4_096

Count = Annotated[int, Meta(ge=0)]


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a chain, as the next file and the records name it."""

    number: Count
    """Files are numbered from 1."""
    sha256: str
    next_sequence: Count
    """The number of the row that follows the file's last one."""


START: Final = Link(number=0, sha256="0" * 64, next_sequence=0)
"""What the first file of a chain names as the file before it."""


@dataclass(frozen=True, order=True)
class LogFile:
    """A file of a chain by its name."""

    number: int
    hour: str
    """The hour of its rows, UTC."""
    path: Path


class FileFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file's metadata says of it."""

    chain: str
    number: Count
    hour: str
    previous: str
    """SHA-256 of the file before it."""
    first_sequence: Count
    last_sequence: Count
    rows: Count


def format_hour(time_us: int) -> str:
    """Return the hour, UTC, of a time in microseconds since 1970."""
    return dt.datetime.fromtimestamp(time_us // 1_000_000, dt.UTC).strftime(HOUR)


def name_file(hour: str, number: int) -> str:
    """Return the name of a chain's file; names of an hour sort by number."""
    return f"{hour}-{number:08d}.parquet"


def list_files(directory: Path) -> list[LogFile]:
    """Return a chain's files in the order of their numbers."""
    names = [(path, _NAME.fullmatch(path.name)) for path in directory.iterdir()]
    return sorted(
        LogFile(int(name["number"]), name["hour"], path) for path, name in names if name is not None
    )


def read_link(path: Path) -> Link | None:
    """Return the link in a record; None if it is missing or isn't one."""
    try:
        return msgspec.json.decode(read_plain(path, _MAX_RECORD_BYTES), type=Link)
    except (RefusedReadError, msgspec.DecodeError):
        return None


def write_link(path: Path, link: Link, root: Path) -> None:
    """Write a record whole; the temporary file lies in `root`, the log's directory.

    Raises:
        StorageError: the disk refuses.
    """
    write_whole(path, msgspec.json.encode(link), root)


def write_whole(path: Path, data: bytes, root: Path) -> None:
    """Write a file that only its owner may read; a reader sees all of it or nothing.

    Raises:
        StorageError: the disk refuses.
    """
    with write_atomically(path, root) as temporary:
        temporary.chmod(PRIVATE_FILE)
        temporary.write_bytes(data)


def encode_table(table: pa.Table, facts: FileFacts) -> bytes:
    """Return rows as the bytes of a Parquet file with its facts in the metadata."""
    sink = pa.BufferOutputStream()
    metadata = {"xuanpin.format": FORMAT, "xuanpin.facts": msgspec.json.encode(facts)}
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def read_facts(path: Path) -> FileFacts:
    """Return the facts in a file's metadata; check its form, not its rows.

    Raises:
        BrokenLogFileError: it is no part of a decision log.
        FileNotFoundError: it was deleted meanwhile.
    """
    try:
        schema, rows = _read_footer(path)
        metadata = schema.metadata or {}
        if metadata.get(b"xuanpin.format") != FORMAT:
            raise BrokenLogFileError(path, "it doesn't have format 1")
        facts = msgspec.json.decode(metadata[b"xuanpin.facts"], type=FileFacts)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, msgspec.DecodeError) as error:
        raise BrokenLogFileError(path, "its metadata can't be read") from error
    if not schema.equals(SCHEMA) or rows != facts.rows:
        raise BrokenLogFileError(path, "it has other columns or rows than its metadata says")
    return facts


def _read_footer(path: Path) -> tuple[pa.Schema, int]:
    with pq.ParquetFile(path) as file:
        return file.schema_arrow, file.metadata.num_rows
