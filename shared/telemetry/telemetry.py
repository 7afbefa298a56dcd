"""
Sends this process's logs and counters to a monitoring service, if one is configured.

The packages take a quarter of a second to load (functions.md, Telemetry), for which the webhook has
no time. So none is loaded before the first log record, and then in a separate thread; records
logged meanwhile are kept. Code that counts waits until the packages are loaded.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping

# The destinations, by the names that Azure and OpenTelemetry gave these settings.
APPLICATION_INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
# The host then leaves the worker's log to the worker: one switch for both.
SWITCH = "PYTHON_ENABLE_OPENTELEMETRY"
_TRUE = {"1", "t", "true", "y", "yes"}
# A process that logs this much while the packages load has other problems.
_KEPT = 1_000

Send = Callable[[logging.LogRecord], None]


def is_on(env: Mapping[str, str]) -> bool:
    """Whether this process should send anything anywhere."""
    named = env.get(APPLICATION_INSIGHTS, "").strip() or env.get(COLLECTOR, "").strip()
    return env.get(SWITCH, "").strip().lower() in _TRUE and bool(named)


class Telemetry(logging.Handler):
    """One per process: the handler of the log `photosync`, and the start of the exporters."""

    def __init__(
        self, env: Mapping[str, str], *, load: Callable[[Mapping[str, str]], Send]
    ) -> None:
        """*load* imports and starts the exporters; it may raise ImportError, ValueError."""
        super().__init__()
        self._env = env
        self._load = load
        self._send: Send | None = None
        self._kept: deque[logging.LogRecord] = deque(maxlen=_KEPT)
        self._loading: threading.Thread | None = None

    def listen(self, log: logging.Logger) -> None:
        """Handle every record of *log* from now on, if there is a destination."""
        if is_on(self._env):
            # Alerts depend on INFO records, whatever level is configured.
            log.setLevel(logging.INFO)
            log.addHandler(self)

    def ready(self) -> None:
        """Return once counters are exported: nothing counted after that is lost."""
        if is_on(self._env):
            self.acquire()
            try:
                loading = self._begun()
            finally:
                self.release()
            loading.join()

    def emit(self, record: logging.LogRecord) -> None:
        """Send *record*, or keep it until that is possible. The logging call holds our lock."""
        if self._send:
            self._send(record)
            return
        self._kept.append(record)
        self._begun()

    def _begun(self) -> threading.Thread:
        if self._loading is None:
            self._loading = threading.Thread(target=self._open, name="telemetry", daemon=True)
            self._loading.start()
        return self._loading

    def _open(self) -> None:
        try:
            send = self._load(self._env)
        except (ImportError, ValueError) as error:
            self._give_up(error)
            return
        self.acquire()
        try:
            for record in self._kept:
                send(record)
            self._kept.clear()
            self._send = send
        finally:
            self.release()

    def _give_up(self, error: Exception) -> None:
        """Write the problem to the process's console, the only output left, and run without."""
        log = logging.getLogger("photosync")
        log.removeHandler(self)
        # Not the error's message: it may quote the connection string.
        kind = getattr(error, "name", None) or type(error).__name__
        log.error(
            'telemetry.failed error=%s why="Check %s and %s"', kind, APPLICATION_INSIGHTS, COLLECTOR
        )
