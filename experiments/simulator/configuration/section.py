"""A section of the market's configuration: frozen, and without unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration that can't be changed once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")
