"""Makes stdout and stderr usable when they are closed, unread or in another encoding."""

from __future__ import annotations

import io
import os
import sys

# What a shell reports when the reader of a program has gone: 128 + SIGPIPE.
READER_GONE = 141


def prepare() -> None:
    """Open the null device for a missing stream; make sure that no character causes an error."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Some schedulers start a program without one; it must still set its exit code.
            stream = open(os.devnull, "w", encoding="utf-8")
            setattr(sys, name, stream)
        if isinstance(stream, io.TextIOWrapper):
            # A name must not break a terminal or a pipe that cannot show it.
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Discard what is left in stdout's buffer, so that the flush at exit cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
