"""Errors a user may meet: each says what was expected, what was found and the way out."""

from __future__ import annotations

from typing import ClassVar


class XuanpinError(Exception):
    """Tell a user what was expected, what was found and what to do.

    Subclasses are built from facts; the sentence is made here, once, so that all errors read
    alike. `exit_code` is what a command line returns for the error; README.md lists the codes.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *, expected: str, found: str, way_out: str) -> None:
        """Store the three parts of the message."""
        self.expected = expected
        self.found = found
        self.way_out = way_out
        super().__init__(f"Expected {expected}; found {found}. {way_out}")


class DataError(XuanpinError):
    """Refuse data that break the contract as a whole (exit code 3)."""

    exit_code: ClassVar[int] = 3


class TrainingError(XuanpinError):
    """Refuse to train on rows that can't support a model (exit code 4)."""

    exit_code: ClassVar[int] = 4


class ArtefactError(XuanpinError):
    """Refuse a bundle or an online snapshot that isn't what it claims to be (exit code 5)."""

    exit_code: ClassVar[int] = 5


class StorageError(XuanpinError):
    """Report a disk that is full, read-only or otherwise unusable (exit code 6)."""

    exit_code: ClassVar[int] = 6


class SettingsError(XuanpinError):
    """Refuse a configuration with an unknown key or a value out of range (exit code 2)."""

    exit_code: ClassVar[int] = 2
