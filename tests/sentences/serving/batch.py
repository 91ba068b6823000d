"""The refusals of a file of candidates, as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from serving.batch import errors

WRITE_FIRST = "Write it to a file first, for instance `... > candidates.csv`, and name that."

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        errors.TwoLimitsError(),
        (
            "A list has one definition of bad, but --min-sell-through and --max-return-risk are "
            "both given. Leave one of them out."
        ),
    ),
    (
        errors.NoLimitError(),
        (
            "--bad-share bounds the bad rows of a chosen list, but no option says what is bad. "
            "Add --min-sell-through (for instance 0.5) or --max-return-risk, or leave --bad-share "
            "out."
        ),
    ),
    (
        errors.NoCandidateFileError(Path("data/in.csv")),
        "There is no file data/in.csv. Check the path.",
    ),
    (
        errors.NoCandidateFileError(Path("/")),
        "The path / is a folder, but candidates are read from one file. Name a file in it.",
    ),
    (
        errors.NoCandidateFileError(Path("-")),
        "Candidates are read from a file, but - is a stream or a device. " + WRITE_FIRST,
    ),
    (
        errors.NoCandidateFileError(Path("/dev/null")),
        "Candidates are read from a file, but /dev/null is a stream or a device. " + WRITE_FIRST,
    ),
    (
        errors.OutputFormatError(Path("out\x1b[2J.txt")),
        (
            "The name of the result out\\x1b[2J.txt ends in neither .csv nor .parquet. "
            "Name the result with --out scores.csv or --out scores.parquet."
        ),
    ),
    (
        errors.OutputIsInputError(Path("data/in.csv")),
        (
            "The result would replace the file of candidates, data/in.csv. "
            "Choose another name with --out."
        ),
    ),
    (
        errors.FileChangedError(Path("data/in.csv")),
        (
            "The file in.csv has more rows than when the list was chosen. "
            "Score it again when nobody writes to it."
        ),
    ),
]
