"""How a program of the local cloud is asked to end in order: a signal, whatever the system."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

# Ctrl-C; what `kill` sends; and the only one that Windows lets a parent send to one child.
ASKS = tuple(
    number
    for name in ("SIGINT", "SIGTERM", "SIGBREAK")
    if isinstance(number := getattr(signal, name, None), signal.Signals)
)


def apart() -> dict[str, Any]:
    """
    Arguments of Popen that put a child out of the terminal's reach.

    Ctrl-C is for the parent, which ends its children in order.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def ask(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """
    Send it *number*, or on Windows the break that stands for each of them.

    Any other signal would end it at once there. Documented: Popen.send_signal; os.kill. Without a
    console there is no break either, and it is ended.
    """
    if sys.platform == "win32":
        try:
            process.send_signal(signal.CTRL_BREAK_EVENT)  # windows: its own
        except OSError:
            process.kill()
    else:
        process.send_signal(number)  # windows: above
