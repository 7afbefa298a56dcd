"""Asks a program of the local cloud to shut down cleanly, by a signal on every system."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

# Ctrl-C; what `kill` sends; and the only signal a parent on Windows can send to one child.
ASKS = tuple(
    number
    for name in ("SIGINT", "SIGTERM", "SIGBREAK")
    if isinstance(number := getattr(signal, name, None), signal.Signals)
)


def apart() -> dict[str, Any]:
    """
    Arguments of Popen that detach a child from the terminal.

    Ctrl-C then reaches only the parent, which shuts its children down.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def ask(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """
    Send the signal *number*; on Windows always Ctrl-Break.

    On Windows any other signal would kill it. Documented: Popen.send_signal; os.kill. Without a
    console Ctrl-Break fails, and the process is killed.
    """
    if sys.platform == "win32":
        try:
            process.send_signal(signal.CTRL_BREAK_EVENT)  # windows: its own
        except OSError:
            process.kill()
    else:
        process.send_signal(number)  # windows: above
