"""The valid keys of a worker: read again when their file changes, and how often each was used."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from features.runtime.text import escape_path
from serving.access.errors import KeyFileRefusedError
from serving.access.key_file import Keys, read_keys
from serving.access.keys import ApiKey, id_in, make_key
from serving.access.scopes import Scope
from serving.access.token_bucket import SECOND, TokenBucket

LOOK_EVERY: Final = SECOND
"""Nanoseconds between two looks at the file."""

_logger: Final = logging.getLogger(__name__)


class KeyRing:
    """The keys of a file and a token bucket for each that has a limit.

    A file that can't be read leaves the earlier keys in force. A file that is gone leaves none.
    """

    def __init__(
        self, path: Path, *, workers: int, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Read the keys; `clock` counts nanoseconds. Limits are shared out to `workers`."""
        self._path = path
        self._workers = workers
        self._clock = clock
        # stands for all unknown keys, so that they cost the work of a known one
        _, self._decoy = make_key("decoy", (Scope.SCORE,), datetime.now(UTC))
        self._keys: dict[bytes, ApiKey] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._seen: tuple[int, ...] | None = ()
        self._is_broken = False
        self._next_look = clock() + LOOK_EVERY
        self._look()

    def identify(self, presented: bytes) -> ApiKey | None:
        """Return the key that was presented, or None; the work is the same for every text."""
        self._look_at_times()
        key = self._keys.get(id_in(presented), self._decoy)
        is_right = key.matches(presented)
        return key if is_right and not key.is_expired(time.time()) else None

    def count_use(self, key: ApiKey) -> int:
        """Count a request; return the seconds to wait if it is beyond the key's limit, else 0."""
        bucket = self._buckets.get(key.key_id)
        return 0 if bucket is None else bucket.take(self._clock())

    def _look_at_times(self) -> None:
        now = self._clock()
        if now >= self._next_look:
            self._next_look = now + LOOK_EVERY
            self._look()

    def _look(self) -> None:
        """Read the file if it isn't the one seen last."""
        try:
            seen = _describe_state(self._path)
            if seen == self._seen:
                return
            keys = () if seen is None else read_keys(self._path)
        except (KeyFileRefusedError, OSError) as error:
            self._keep(error)
            return
        self._seen = seen
        self._use(keys)
        if seen is None:
            _logger.error("no key is valid: there is no key file %s", escape_path(self._path))
        else:
            _logger.info("%d keys in %s", len(keys), escape_path(self._path))

    def _keep(self, error: Exception) -> None:
        if not self._is_broken:
            _logger.error("%d earlier keys stay valid: %s", len(self._keys), error)
        self._is_broken = True
        self._seen = ()  # so that the next look tries again

    def _use(self, keys: Keys) -> None:
        self._is_broken = False
        self._keys = {key.key_id.encode(): key for key in keys}
        self._buckets = {key.key_id: bucket for key in keys if (bucket := self._bucket_of(key))}

    def _bucket_of(self, key: ApiKey) -> TokenBucket | None:
        """Return the key's bucket as it stands, so that a change of the file refills none."""
        if key.rate is None:
            return None
        earlier = self._buckets.get(key.key_id)
        is_same = earlier is not None and earlier.limit == key.rate
        return earlier if is_same else TokenBucket(key.rate, self._workers)


def _describe_state(path: Path) -> tuple[int, ...] | None:
    """Return what changes whenever a file does; None if there is none.

    Raises:
        OSError: the system refuses.
    """
    try:
        state = os.stat(path)  # noqa: PTH116 - a tenth of the time of Path.stat
    except (FileNotFoundError, NotADirectoryError):
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
