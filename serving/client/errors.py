"""What can go wrong between a client and the service."""

from __future__ import annotations

from collections.abc import Sequence

from features.runtime.errors import ArtefactError, StorageError
from serving.scoring.refusals import Detail


class ServiceRefusedError(ArtefactError):
    """Report a request that the service refused, with its own words."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        details: Sequence[Detail] = (),
        request_id: str = "",
    ) -> None:
        """Store the parts of the error response."""
        super().__init__(
            problem=f"The service refused the request with {status} {code}: {message}",
            hint=f"Its log has more under the request id {request_id or 'of the answer'}.",
        )
        self.status, self.code, self.details = status, code, tuple(details)
        self.request_id = request_id


class ServiceUnreachableError(StorageError):
    """Report a service that gave no answer, however often it was asked."""

    def __init__(self, url: str, reason: str, attempts: int) -> None:
        times = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(
            problem=f"The service at {url} was asked {times} and gave no answer: {reason}.",
            hint="Check the address, and whether the service runs: GET /readyz says so.",
        )


class StrangeAnswerError(ArtefactError):
    """Report an answer that isn't one of this service, or of another version."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            problem=f"The server at {url} answered {status} with what this client can't read.",
            hint="Check that the address is that of a xuanpin service of this version.",
        )


class PairChangedError(ArtefactError):
    """Report a service whose bundle or snapshot changed each time while all rows were asked."""

    def __init__(self, rounds: int) -> None:
        super().__init__(
            problem=f"The service changed its bundle or snapshot in each of {rounds} rounds.",
            hint="Ask again when nothing is being published, or ask for fewer candidates.",
        )
