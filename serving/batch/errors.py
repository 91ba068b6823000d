"""Errors about the files and options of `xuanpin score`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from features.runtime.errors import DataError, SettingsError, StorageError
from features.runtime.text import escape, escape_path

STANDARD_INPUT: Final = "-"


class NoCandidateFileError(DataError):
    """Refuse a path that isn't a file which can be read twice."""

    def __init__(self, path: Path) -> None:
        name = escape_path(path)
        if path.is_dir():
            problem = f"The path {name} is a folder, but candidates are read from one file."
            hint = "Name a file in it."
        elif str(path) == STANDARD_INPUT or path.exists():
            problem = f"Candidates are read from a file, but {name} is a stream or a device."
            hint = "Write the candidates to a file first, and name that file."
        else:
            problem = f"There is no file {name}."
            hint = "Check the path."
        super().__init__(problem=problem, hint=hint)


class FileChangedError(DataError):
    """Refuse a file that got more rows between choosing from it and scoring it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"The file {escape(path.name)} has more rows than when the list was chosen.",
            hint="Score it again when nobody writes to it.",
        )


class OutputFormatError(SettingsError):
    """Refuse a result whose name is of no format that can be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"The result {escape_path(path)} must end in .csv or .parquet.",
            hint="Choose another name with --out, such as scores.csv.",
        )


class OutputIsInputError(SettingsError):
    """Refuse to write the result over the candidates."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"The result would replace the file of candidates, {escape_path(path)}.",
            hint="Choose another name with --out.",
        )


class TwoLimitsError(SettingsError):
    """Refuse two definitions of a bad candidate for one list."""

    def __init__(self) -> None:
        super().__init__(
            problem="--min-sell-through and --max-return-risk are both given, but a list has only "
            "one definition of a bad row.",
            hint="Leave one of them out.",
        )


class NoLimitError(SettingsError):
    """Refuse a bound on the bad rows of a list without a definition of bad."""

    def __init__(self) -> None:
        super().__init__(
            problem="--bad-share needs a definition of a bad row.",
            hint="Add --min-sell-through 0.5 or --max-return-risk 0.2, for instance, or leave "
            "--bad-share out.",
        )


class NoServiceAddressError(SettingsError):
    """Refuse an address that isn't one of a service."""

    def __init__(self) -> None:
        super().__init__(
            problem="The address of the service isn't one of HTTP.",
            hint="Write --url http://127.0.0.1:3000, for instance.",
        )


class OptionsOfARunError(SettingsError):
    """Refuse options that need a run directory when a service scores."""

    def __init__(self) -> None:
        super().__init__(
            problem="With --url the service scores, so --run, --config and lists don't apply.",
            hint="Leave out --url to choose a list, or the other options to ask the service.",
        )


class KeyFileError(StorageError):
    """Refuse a file that holds no API key."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"The file {escape_path(path)} has no API key that can be read.",
            hint="Write the key alone into it, as `xuanpin keys add` printed it.",
        )
