"""stdout and stderr as a command finds them: closed, read by nobody, or in another encoding."""

from __future__ import annotations

import io
import os
import sys

# What a shell reports of a program whose reader has gone: 128 and SIGPIPE.
READER_GONE = 141


def prepare() -> None:
    """Give a command that was started without them somewhere to write to; no text breaks it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # A task that is started without one still has an exit code.
            stream = open(os.devnull, "w", encoding="utf-8")
            setattr(sys, name, stream)
        if isinstance(stream, io.TextIOWrapper):
            # A name must not break a terminal or a pipe that cannot show it.
            stream.reconfigure(errors="backslashreplace")


def let_go() -> None:
    """Send what is left in stdout's buffer nowhere: the flush at the end must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
