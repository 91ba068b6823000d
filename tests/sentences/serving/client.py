"""What a client of the service says, as it is printed."""

from __future__ import annotations

from features.runtime.errors import XuanpinError
from serving.client.errors import (
    PairChangedError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StrangeAnswerError,
)

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        ServiceRefusedError(
            status=422, code="unsupported_market", message="No such market.", request_id="ab12"
        ),
        (
            "The service refused the request with 422 unsupported_market: No such market. "
            "Its log has more under the request id ab12."
        ),
    ),
    (
        ServiceUnreachableError("http://127.0.0.1:3000", "Connection refused", 6),
        (
            "The service at http://127.0.0.1:3000 was asked 6 times and gave no answer: "
            "Connection refused. "
            "Check the address, and whether the service runs: GET /readyz says so."
        ),
    ),
    (
        StrangeAnswerError("http://127.0.0.1:3000", 200),
        (
            "The server at http://127.0.0.1:3000 answered 200 with what this client can't read. "
            "Check that the address is that of a xuanpin service of this version."
        ),
    ),
    (
        PairChangedError(5),
        (
            "The service changed its bundle or snapshot in each of 5 rounds. "
            "Ask again when nothing is being published, or ask for fewer candidates."
        ),
    ),
]
