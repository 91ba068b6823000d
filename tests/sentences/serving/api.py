"""Errors of serving/api as they are printed."""

from __future__ import annotations

import errno
from ipaddress import ip_address

from features.runtime.errors import XuanpinError
from serving.api.preflight import AddressRefusedError
from serving.api.settings import ServingSettings


def _refuse(number: int, host: str = "127.0.0.1", port: int = 80) -> AddressRefusedError:
    settings = ServingSettings(host=ip_address(host), port=port)
    return AddressRefusedError(settings, OSError(number, "Invalid argument"))


SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        _refuse(errno.EADDRINUSE, port=65_535),
        (
            "Another program listens on port 65535 of 127.0.0.1 already. "
            "Stop it, or choose another port."
        ),
    ),
    (
        _refuse(errno.EADDRNOTAVAIL, "10.9.9.9"),
        (
            "This machine has no network address 10.9.9.9. "
            "Choose one of its own with --host, such as 127.0.0.1 for this machine alone."
        ),
    ),
    (
        _refuse(errno.EACCES),
        (
            "The system doesn't let this account listen on port 80. "
            "Choose a port of 1024 or above with --port."
        ),
    ),
    (
        _refuse(errno.EINVAL, "fe80::1"),
        (
            "The system doesn't let the service listen on http://[fe80::1]:80: Invalid argument. "
            "Choose another address with --host and --port."
        ),
    ),
]
