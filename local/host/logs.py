"""The host's log, which combines the records of the host, the engine and the app."""

import logging
import sys
import time
from collections.abc import Callable

# The prefix of the threads in which the host itself calls storage.
STORAGE_THREADS = "host-storage"

# host.json's names on the left (Documented: Microsoft.Extensions.Logging.LogLevel).
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}


class _Invocation(logging.Filter):
    """Adds the invocation to each record, and drops what Azure's host would not log."""

    def __init__(self, running: Callable[[], str]) -> None:
        super().__init__()
        self._running = running

    def filter(self, record: logging.LogRecord) -> bool:
        # The storage client's log of the host's own polling: in Azure the host is .NET.
        if record.threadName is not None and record.threadName.startswith(STORAGE_THREADS):
            return record.levelno >= logging.ERROR
        running = self._running()
        record.invocation = f"[{running[:8]}] " if running else ""
        return True


def configure(level: str = "Information", running: Callable[[], str] = str) -> None:
    """
    Send every record to stderr, once, as `time LEVEL logger: text`.

    In a worker, *running* returns the invocation that the record belongs to.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Invocation(running))
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(invocation)s%(message)s",
        "%Y-%m-%dT%H:%M:%S",
        defaults={"invocation": ""},
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS.get(level.lower(), logging.INFO))
