"""
Sends what this process logs and counts to whoever watches; does nothing where nobody does.

The packages for it take a quarter of a second to load (functions.md, Telemetry), for which the
webhook has no time. So nothing of them is loaded before the first log record, and then in a thread
of its own; what is logged meanwhile is kept. Who wants to count waits until it is there.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping

# Who is told, by the names that Azure and OpenTelemetry gave these settings.
APPLICATION_INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
# With it the host leaves the worker's log to the worker: one switch for both.
SWITCH = "PYTHON_ENABLE_OPENTELEMETRY"
_TRUE = {"1", "t", "true", "y", "yes"}
# A process that logs this much while the packages load has other troubles.
_KEPT = 1_000

Send = Callable[[logging.LogRecord], None]


def is_on(env: Mapping[str, str]) -> bool:
    """Whether this process is to send anything anywhere."""
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
        """Take over every record of *log* from now on, if anybody is to be told."""
        if is_on(self._env):
            # Alerts live on what is merely news, whatever level the surroundings chose.
            log.setLevel(logging.INFO)
            log.addHandler(self)

    def ready(self) -> None:
        """Return when what is counted from now on is counted."""
        if is_on(self._env):
            self.acquire()
            try:
                loading = self._begun()
            finally:
                self.release()
            loading.join()

    def emit(self, record: logging.LogRecord) -> None:
        """Send *record*, or keep it until that is possible. Whoever logs holds our lock."""
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
        """Say on the console what is wrong, the one way that is left, and run without."""
        log = logging.getLogger("photosync")
        log.removeHandler(self)
        # Not the words of the error: they may quote the connection string.
        kind = getattr(error, "name", None) or type(error).__name__
        log.error(
            'telemetry.failed error=%s why="Check %s and %s"', kind, APPLICATION_INSIGHTS, COLLECTOR
        )
