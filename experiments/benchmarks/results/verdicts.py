"""Verdicts: whether a measured figure keeps its bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """A figure and the most that it may be."""

    subject: str
    value: float
    maximum: float

    @property
    def is_reached(self) -> bool:
        """Return True if the bound holds."""
        return self.value <= self.maximum

    def describe(self, form: str) -> str:
        """Return the verdict as a line; `form` formats the value."""
        sentence = f"{self.subject} {form.format(self.value)}, at most {self.maximum:g}"
        return describe_verdict(sentence, is_reached=self.is_reached)


def describe_verdict(sentence: str, *, is_reached: bool) -> str:
    """Return a line that begins with the verdict."""
    return f"{'reached' if is_reached else 'not reached'}: {sentence}"


def verdict_documents(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return verdicts as values that JSON can hold."""
    return [{**asdict(verdict), "is_reached": verdict.is_reached} for verdict in verdicts]
