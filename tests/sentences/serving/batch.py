"""The refusals of a file of candidates, as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from serving.batch import errors

WRITE_FIRST = "Write the candidates to a file first, and name that file."

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        errors.TwoLimitsError(),
        (
            "--min-sell-through and --max-return-risk are both given, but a list has only one "
            "definition of a bad row. Leave one of them out."
        ),
    ),
    (
        errors.NoLimitError(),
        (
            "--bad-share needs a definition of a bad row. Add --min-sell-through 0.5 or "
            "--max-return-risk 0.2, for instance, or leave --bad-share out."
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
            "The result out\\x1b[2J.txt must end in .csv or .parquet. Choose another name with "
            "--out, such as scores.csv."
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
    (
        errors.NoServiceAddressError(),
        (
            "The address of the service isn't one of HTTP. "
            "Write --url http://127.0.0.1:3000, for instance."
        ),
    ),
    (
        errors.OptionsOfARunError(),
        (
            "With --url the service scores, so --run, --config and lists don't apply. "
            "Leave out --url to choose a list, or the other options to ask the service."
        ),
    ),
    (
        errors.KeyFileError(Path("key.txt")),
        (
            "The file key.txt has no API key that can be read. "
            "Write the key alone into it, as `xuanpin keys add` printed it."
        ),
    ),
]
