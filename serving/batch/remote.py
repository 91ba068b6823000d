"""Score the rows of a file by a service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from features.runtime.progress import ProgressCallback
from serving.batch.answer_columns import Answer, build_answer, build_refusal
from serving.batch.errors import KeyFileError, NoServiceAddressError, OptionsOfARunError
from serving.batch.score_file import BatchReport, score_file_with
from serving.client.client import Client
from serving.client.errors import ServiceRefusedError
from serving.scoring.candidates import Candidate
from serving.scoring.refusals import Detail
from serving.scoring.selection import SelectionRequest

MAX_KEY_BYTES: Final = 1_000


def check_options(url: str, *, is_local: bool, request: SelectionRequest | None) -> None:
    """Check what is asked beside the address of a service; `is_local` says a run was named too.

    Raises:
        NoServiceAddressError: the address isn't one of HTTP.
        OptionsOfARunError: an option needs a run directory.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NoServiceAddressError
    if is_local or request is not None:
        raise OptionsOfARunError


def score_file_remotely(  # noqa: PLR0913 - each is the caller's choice
    url: str,
    key_file: Path | None,
    source: Path,
    target: Path,
    *,
    coverage: float,
    progress: ProgressCallback,
) -> BatchReport:
    """Score the rows of `source` into `target` by the service at `url`; see `score_file`.

    Raises:
        KeyFileError: the file of the key can't be read.
        ServiceRefusedError: it refuses for another reason than its candidates.
        ServiceUnreachableError: it gives no answer.
    """
    key = None if key_file is None else _read_key(key_file)
    with Client(url, key=key) as client:
        score = partial(score_rows_remotely, client, coverage=coverage)
        return score_file_with(score, source, target, progress=progress)


def _read_key(path: Path) -> str:
    try:
        with path.open("rb") as file:
            key = file.read(MAX_KEY_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(path) from error
    if not key.isprintable() or not key:
        raise KeyFileError(path)
    return key


def score_rows_remotely(
    client: Client, rows: Sequence[Candidate | Detail], *, coverage: float
) -> list[Answer]:
    """Return the answer's columns for at most `MAX_CANDIDATES` rows, refused ones among them.

    The service refuses a request as a whole and names the first candidates at fault, so it is asked
    again without these.

    Raises:
        ServiceRefusedError: it refuses for another reason than its candidates.
        ServiceUnreachableError: it gives no answer.
    """
    results = list(rows)
    while True:
        asked = [index for index, row in enumerate(results) if isinstance(row, Candidate)]
        if not asked:
            break
        try:
            batch = client.score([results[index] for index in asked], coverage=coverage)  # type: ignore[misc] # candidates alone
        except ServiceRefusedError as error:
            for index, detail in _locate_faults(error, asked):
                results[index] = detail
        else:
            answers = [build_answer(batch, candidate) for candidate in batch.candidates]
            scored = dict(zip(asked, answers, strict=True))
            return [
                scored[index] if index in scored else build_refusal(row)  # type: ignore[arg-type] # details alone
                for index, row in enumerate(results)
            ]
    return [build_refusal(row) for row in results if isinstance(row, Detail)]


def _locate_faults(error: ServiceRefusedError, asked: Sequence[int]) -> list[tuple[int, Detail]]:
    """Return the row and the fault of each candidate that the service names.

    Raises:
        ServiceRefusedError: it names none.
    """
    faults: list[tuple[int, Detail]] = []
    for detail in error.details:
        match detail.loc:
            case ("candidates", int(position), *field) if position < len(asked):
                faults.append((asked[position], Detail(tuple(field), detail.code)))
            case _:
                raise error
    if not faults:
        raise error
    return faults
