"""An API key: what its owner sends, and what the service keeps of it.

The owner sends `xp_<id>_<secret>`. The service keeps a random salt and SHA-256(salt + key). A
slow hash such as scrypt protects passwords, because people choose them and others guess them.
The secret of a key is 256 random bits, which nobody guesses at any speed; so one fast hash
is as safe, and costs a request microseconds.
"""

from __future__ import annotations

import math
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from serving.access.errors import BurstAloneError, InvalidNameError
from serving.access.scopes import Scope

PREFIX: Final = "xp_"
ID_LENGTH: Final = 12
SECRET_BYTES: Final = 32
SALT_BYTES: Final = 16
MAX_NAME: Final = 64
MAX_RATE: Final = 100_000

KEY_LENGTH: Final = len(PREFIX) + ID_LENGTH + 1 + 43
"""Characters of a key: 43 of them write the secret in base64."""
_ID_PLACE: Final = slice(len(PREFIX), len(PREFIX) + ID_LENGTH)

NAME: Final = re.compile(r"^[\w@.-]([\w@. -]*[\w@.-])?\Z")
Name: TypeAlias = Annotated[str, Meta(max_length=MAX_NAME, pattern=NAME.pattern)]
KeyId: TypeAlias = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{{ID_LENGTH}}}\Z")]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]


class RateLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a key may be used, over all workers together."""

    per_second: Annotated[float, Meta(ge=0.001, le=MAX_RATE)]
    burst: Annotated[int, Meta(ge=1, le=MAX_RATE)]
    """Requests that may come at once after a pause."""


def make_rate_limit(per_second: float | None, burst: int | None) -> RateLimit | None:
    """Return a limit, or None without a rate; unless given, a burst is the requests of a second.

    Raises:
        BurstAloneError: there is a burst without a rate.
    """
    if per_second is None:
        if burst is not None:
            raise BurstAloneError
        return None
    return RateLimit(per_second=per_second, burst=burst or math.ceil(per_second))


class ApiKey(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a key; the key itself can't be computed from it."""

    key_id: KeyId
    name: Name
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=len(Scope))]
    salt: Annotated[bytes, Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
    digest: Annotated[bytes, Meta(min_length=32, max_length=32)]
    created: Moment
    expires: Moment | None = None
    rate: RateLimit | None = None

    def matches(self, presented: bytes) -> bool:
        """Return True for the key itself; the time taken depends on no byte of it."""
        # A longer text is cut where it still differs from a key, so that its hash costs no more.
        digest = sha256(self.salt + presented[: KEY_LENGTH + 1]).digest()
        return compare_digest(digest, self.digest)

    def is_expired(self, now: float) -> bool:
        """Return True from the moment of expiry on; `now` is in seconds since 1970."""
        return self.expires is not None and self.expires.timestamp() <= now

    def allows(self, scope: Scope | None) -> bool:
        """Return True if the key has the scope; any key has None."""
        return scope is None or scope in self.scopes or Scope.ADMIN in self.scopes


def make_key(
    name: str,
    scopes: tuple[Scope, ...],
    now: datetime,
    *,
    days: int | None = None,
    rate: RateLimit | None = None,
) -> tuple[str, ApiKey]:
    """Return a new key to give to its owner, and what is kept of it.

    Raises:
        InvalidNameError: the name is empty, long or hard to read in a list.
    """
    if len(name) > MAX_NAME or not NAME.match(name):
        raise InvalidNameError(MAX_NAME)
    key_id, salt = secrets.token_hex(ID_LENGTH // 2), secrets.token_bytes(SALT_BYTES)
    text = f"{PREFIX}{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    kept = ApiKey(
        key_id=key_id,
        name=name,
        scopes=scopes,
        salt=salt,
        digest=sha256(salt + text.encode()).digest(),
        created=now,
        expires=None if days is None else now + timedelta(days=days),
        rate=rate,
    )
    return text, kept


def id_in(presented: bytes) -> bytes:
    """Return the part of a presented key where its id stands."""
    return presented[_ID_PLACE]
