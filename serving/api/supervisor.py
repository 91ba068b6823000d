"""Start the workers, bring back those that end, and end them all: `python -m` this module.

The workers share one listening socket, and nothing else listens. BentoML's own process manager
would open control sockets that ask for no key (docs/operations.md).
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import time
from typing import Final

from prometheus_client.multiprocess import mark_process_dead
from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from features.runtime.settings import load_section
from serving.api.metrics import DIRECTORY_VARIABLE
from serving.api.published import STATE_VARIABLE
from serving.api.settings import ServingSettings

APPLICATION: Final = "serving.api.worker:create_app"
HEALTH_SECONDS: Final = 30
"""For a worker to answer its supervisor; one that doesn't is killed and replaced."""
LOG_FORMAT: Final = "%(asctime)s [%(levelname)s] %(message)s"
LOGGING: Final = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": LOG_FORMAT, "datefmt": "%Y-%m-%dT%H:%M:%S%z"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": logging.WARNING},
}


class Supervisor(Multiprocess):
    """uvicorn's supervisor, which doesn't wait for a worker that hangs."""

    def __init__(self, config: Config, *, seconds_to_end: float) -> None:
        """Listen; a worker gets `seconds_to_end` after the signal to stop."""
        super().__init__(config, [config.bind_socket()])
        self._seconds_to_end = seconds_to_end

    def keep_subprocess_alive(self) -> None:
        """Replace workers that ended or hang, and forget what the metrics say they do now."""
        earlier = {worker.pid for worker in self.processes}
        super().keep_subprocess_alive()
        for pid in earlier - {worker.pid for worker in self.processes}:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]

    def handle_hup(self) -> None:
        """Tell the workers to look at once for newly published artefacts; none restarts."""
        for worker in self.processes:
            if worker.process.is_alive() and worker.pid is not None:
                os.kill(worker.pid, signal.SIGHUP)

    def join_all(self) -> None:
        """Wait for the workers, and kill those that take too long."""
        give_up = time.monotonic() + self._seconds_to_end
        for worker in self.processes:
            worker.process.join(max(give_up - time.monotonic(), 0))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def build_config(settings: ServingSettings) -> Config:
    """Return the configuration of uvicorn: its fastest loop and parser, and no log of requests."""
    return Config(
        APPLICATION,
        factory=True,
        host=str(settings.host),
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_config=LOGGING,
        timeout_graceful_shutdown=settings.graceful_seconds,
        timeout_worker_healthcheck=HEALTH_SECONDS,
    )


def main() -> None:
    """Serve with the settings of the environment until SIGTERM or SIGINT."""
    settings = load_section(ServingSettings, "serving", file=None)
    seconds = settings.drain_seconds + 2 * settings.graceful_seconds
    with tempfile.TemporaryDirectory(prefix="xuanpin-serve-") as state:
        os.environ |= {STATE_VARIABLE: state, DIRECTORY_VARIABLE: state}
        Supervisor(build_config(settings), seconds_to_end=seconds).run()


if __name__ == "__main__":
    main()
