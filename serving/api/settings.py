"""Settings of the service, section [serving] of the configuration."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress

from features.runtime.settings import DELIMITER, PREFIX
from serving.decision_log.log_settings import LogSettings


class ServingSettings(BaseModel):
    """The service's artefacts, its address and its limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Path = Path("var/run")
    """The run directory, which has `bundles/` and `snapshots/`."""
    host: IPvAnyAddress = IPv4Address("127.0.0.1")
    public_key: Path | None = None
    """PEM file; if set, the service accepts only bundles and snapshots that its owner signed."""
    max_snapshot_age_days: int | None = Field(default=None, ge=0, le=36_500)
    """Days that the snapshot's data may end after or before the bundle's; without it, answers only
    flag more than 90 days."""
    reload_seconds: float = Field(default=1.0, ge=0.1, le=3_600)
    """Seconds between two looks at what the run directory has published."""
    keys: Path | None = None
    """File of API keys (`xuanpin keys add`); without it the service answers this machine alone."""
    port: int = Field(default=3000, ge=1, le=65_535)
    workers: int = Field(default=2, ge=1, le=64)
    """Processes; they share the snapshot's files in memory, and each has its own bundle."""
    scoring_threads: int = Field(default=1, ge=1, le=2)
    max_waiting: int = Field(default=64, ge=1, le=10_000)
    """Requests in a worker that may wait for a scoring thread."""
    max_body_bytes: int = Field(default=1 << 20, ge=1 << 10, le=1 << 24)
    deadline_ms: int = Field(default=2_000, ge=10, le=60_000)
    """Milliseconds for the body to arrive, and again for scoring."""
    graceful_seconds: int = Field(default=10, ge=1, le=300)
    """Seconds for running requests to end after SIGTERM."""
    drain_seconds: float = Field(default=1.0, ge=0, le=300)
    """Seconds after SIGTERM in which new requests get 503, so that a load balancer notices."""
    log: Path | None = None
    """Directory of the decision log; without it no decision is logged."""
    log_on_full: Literal["stop", "drop"] = "stop"
    """What happens when a decision can't be logged: refuse the request, or answer and count."""
    log_rotate_seconds: float = Field(default=30.0, ge=0.1, le=3_600)
    """Most seconds that a logged row waits in memory: what a killed worker loses."""
    log_rotate_rows: int = Field(default=20_000, ge=1, le=1_000_000)
    """Most rows, give or take a request, that wait for their file."""
    log_queue_rows: int = Field(default=20_000, ge=1_000, le=1_000_000)
    """Rows that may wait for the writer; a request has up to 1,000."""
    log_keep_days: int = Field(default=90, ge=1, le=36_500)

    @property
    def decision_log(self) -> LogSettings | None:
        """Return the settings of the decision log, None without one."""
        if self.log is None:
            return None
        return LogSettings(
            directory=self.log,
            on_full=self.log_on_full,
            rotate_seconds=self.log_rotate_seconds,
            rotate_rows=self.log_rotate_rows,
            queue_rows=self.log_queue_rows,
            keep_days=self.log_keep_days,
        )

    @property
    def bundles(self) -> Path:
        """Return the directory of bundles."""
        return self.run / "bundles"

    @property
    def snapshots(self) -> Path:
        """Return the directory of online snapshots."""
        return self.run / "snapshots"


def to_environment(settings: ServingSettings) -> dict[str, str]:
    """Return environment variables with these settings, for a process in another directory."""
    values = settings.model_dump(mode="json", exclude_none=True)
    paths = {"run": settings.run, "public_key": settings.public_key, "log": settings.log}
    values |= {name: path.resolve() for name, path in paths.items() if path is not None}
    if settings.keys is not None:
        values["keys"] = settings.keys.absolute()  # Kubernetes moves what the link leads to
    return {f"{PREFIX}SERVING{DELIMITER}{name.upper()}": str(v) for name, v in values.items()}
