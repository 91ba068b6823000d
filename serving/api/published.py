"""Load what a run directory has published, and again when it publishes something else.

A pair that is refused, because it is broken or its halves don't fit, changes nothing: the pair in
memory is served on. A worker that starts while the published pair is refused loads the pair that
the other workers serve, which they note in the supervisor's own directory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from features.runtime.atomic import replace_file
from features.runtime.errors import ArtefactError, StorageError
from features.runtime.plain_file import RefusedReadError, read_plain
from serving.api.settings import ServingSettings
from serving.scoring.loading import ArtefactPair, LoadedArtefacts, load_pair

STATE_VARIABLE: Final = "_XUANPIN_SERVICE_STATE"
"""Environment variable with the supervisor's own directory; it is no setting."""
RETRY_SECONDS: Final = 60.0
"""A refused pair is tried again after so long: what was wrong may have been the disk."""
MAX_NOTE_BYTES: Final = 1_000


class PairNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The names of the pair that a worker loaded last."""

    bundle_id: str
    snapshot_id: str


class PublishedArtefacts:
    """Loads the published pair when it is called, unless it is in memory already."""

    def __init__(
        self,
        settings: ServingSettings,
        state: Path | None,
        on_first_load: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to load; `state` is the directory where workers note the pair that they serve."""
        self._settings = settings
        self._on_first_load = on_first_load
        self._note = None if state is None else state / "serving.json"
        self._seen: ArtefactPair | None = None
        self._refused: tuple[ArtefactPair, ArtefactError, float] | None = None

    def __call__(self, previous: LoadedArtefacts | None) -> LoadedArtefacts:
        """Return the published artefacts, or the previous ones if nothing else was published.

        A new pair is loaded when two calls in turn have seen it, so that nothing is loaded between
        the publication of a bundle and that of its snapshot.

        Raises:
            ArtefactError: what is published can't be served.
        """
        if previous is None:
            return self._load_first()
        pair = self._pair_in_use()
        is_settled, self._seen = pair == self._seen, pair
        if pair.is_loaded_as(previous) or not is_settled:
            return previous
        return self._load(pair, previous)

    def _load_first(self) -> LoadedArtefacts:
        """Load the published pair, or the one that the other workers serve.

        Raises:
            ArtefactError: neither can be served.
        """
        try:
            served = self._load(self._pair_in_use(), None)
        except ArtefactError:
            noted = self._read_note()
            if noted is None:
                raise
            return self._load(noted, None)
        self._on_first_load()
        return served

    def _load(self, pair: ArtefactPair, previous: LoadedArtefacts | None) -> LoadedArtefacts:
        if self._refused is not None:
            refused, error, retry_at = self._refused
            if refused == pair and time.monotonic() < retry_at:
                raise error
        settings = self._settings
        try:
            served = load_pair(
                pair,
                public_key=settings.public_key,
                max_snapshot_age_days=settings.max_snapshot_age_days,
                previous=previous,
            )
        except ArtefactError as error:
            self._refused = (pair, error, time.monotonic() + RETRY_SECONDS)
            raise
        self._refused = None
        self._write_note(served)
        return served

    def _pair_in_use(self) -> ArtefactPair:
        return ArtefactPair.in_use(self._settings.bundles, self._settings.snapshots)

    def _write_note(self, served: LoadedArtefacts) -> None:
        if self._note is None:
            return
        note = PairNote(served.bundle.bundle_id, served.snapshot.snapshot_id)
        with suppress(StorageError):  # without a note a new worker has the published pair alone
            replace_file(self._note, msgspec.json.encode(note))

    def _read_note(self) -> ArtefactPair | None:
        if self._note is None:
            return None
        try:
            note = msgspec.json.decode(read_plain(self._note, MAX_NOTE_BYTES), type=PairNote)
        except (OSError, RefusedReadError, msgspec.DecodeError):
            return None
        settings = self._settings
        return ArtefactPair(
            settings.bundles / note.bundle_id, settings.snapshots / note.snapshot_id
        )


def find_state(environment: Mapping[str, str]) -> Path | None:
    """Return the supervisor's own directory, if a supervisor started this process."""
    path = environment.get(STATE_VARIABLE)
    return None if path is None else Path(path)
