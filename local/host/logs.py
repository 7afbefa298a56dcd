"""The host's log: one place where the host's, the engine's and the app's records come out."""

import logging
import sys
import time

from azure_functions_runtime import invocation_id_cv

from local.host.storage import THREAD_PREFIX

# host.json names on the left (Documented: Microsoft.Extensions.Logging.LogLevel).
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
    """Adds which invocation speaks, and drops what Azure's host would not log."""

    def filter(self, record: logging.LogRecord) -> bool:
        # The storage client's chatter about the host's own polling: in Azure the host is .NET.
        if record.threadName is not None and record.threadName.startswith(THREAD_PREFIX):
            return record.levelno >= logging.ERROR
        running = invocation_id_cv.get()
        record.invocation = f"[{running[:8]}] " if running else ""
        return True


def configure(level: str = "Information") -> None:
    """Send every record to stderr, once, as `time LEVEL logger: text`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Invocation())
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
