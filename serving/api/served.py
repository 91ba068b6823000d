"""What the service serves now, and why it doesn't serve what was published since."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from features.runtime.errors import ArtefactError
from serving.api.metrics import get_metrics
from serving.scoring.loading import LoadedArtefacts

Load = Callable[[LoadedArtefacts | None], LoadedArtefacts]
"""Returns the artefacts to serve, those that are served if nothing changed."""

_logger: Final = logging.getLogger(__name__)


class RefusedReload(msgspec.Struct, frozen=True):
    """What was published and can't be served."""

    reason: str
    """The name of the error; the log has its sentences."""
    since: str
    """UTC."""


@dataclass
class ServedArtefacts:
    """The artefacts of this process; `current` is replaced as a whole, by one assignment."""

    load: Load
    current: LoadedArtefacts | None = None
    refused: RefusedReload | None = None
    reloads: int = 0
    """How often artefacts were loaded, the first time among them."""
    refusals: int = 0
    """How often published artefacts were found that can't be served."""
    _said: str = ""

    def refresh(self) -> None:
        """Serve what is published now; what can't be served is logged once and changes nothing."""
        try:
            loaded = self.load(self.current)
        except ArtefactError as error:
            self._refuse(error)
            return
        self.refused, self._said = None, ""
        get_metrics().is_refused.set(0)
        if loaded is not self.current:
            self.current = loaded
            self.reloads += 1
            get_metrics().note_pair(loaded)
            _logger.info(
                "serving bundle %s with snapshot %s",
                loaded.bundle.bundle_id,
                loaded.snapshot.snapshot_id,
            )

    def _refuse(self, error: ArtefactError) -> None:
        if str(error) == self._said:
            return
        self._said = str(error)
        self.refusals += 1
        get_metrics().reload_refusals.inc()
        get_metrics().is_refused.set(1)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.refused = RefusedReload(type(error).__name__, now)
        kept = "nothing to serve" if self.current is None else "serving the earlier pair on"
        _logger.error("%s: %s", kept, error)
