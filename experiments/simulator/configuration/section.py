"""The base of the market's configuration sections: frozen, without unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the configuration, immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")
