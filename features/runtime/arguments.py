"""Refuse arguments that no library can pass on."""

from __future__ import annotations

from collections.abc import Sequence

from features.runtime.errors import SettingsError
from features.runtime.text import escape_path


class NotUtf8ArgumentError(SettingsError):
    """Refuse an argument, such as a file name, whose bytes aren't UTF-8."""

    def __init__(self, argument: str) -> None:
        super().__init__(
            problem=f"The argument {escape_path(argument)} isn't UTF-8, so the file's name can't "
            "be passed on to the libraries that read and write tables.",
            hint="Rename the file or the directory, for instance with `mv`, or give a link to it.",
        )


def refuse_broken_arguments(arguments: Sequence[str]) -> None:
    """Refuse arguments with bytes that aren't UTF-8; Python has them as lone surrogates.

    Raises:
        NotUtf8ArgumentError: there is one.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise NotUtf8ArgumentError(argument) from error
