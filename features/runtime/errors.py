"""Base classes of all errors that a user can meet: the problem and a hint."""

from __future__ import annotations

from typing import ClassVar


class XuanpinError(Exception):
    """Report a problem to the user, with a hint to its solution.

    Subclasses take facts and write both sentences, so that a call site passes data and no prose.
    A command line ends with `exit_code`.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, hint: str) -> None:
        """Store both sentences."""
        self.problem, self.hint = problem, hint
        super().__init__(f"{problem} {hint}")


class DataError(XuanpinError):
    """Refuse data that can't be used as a whole (exit code 3)."""

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
