"""A socket that servers of the local cloud listen on."""

from __future__ import annotations

import socket
import sys


def bound(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A socket bound to *port*, 0 for any that is free. Raises OSError."""
    # Name the protocol: otherwise asyncio leaves Nagle's algorithm on, which costs 40 ms.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        # Otherwise another program might take the port while we have it.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        # The port of a killed server is then free at once, as it always is on Windows.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # windows: above
    try:
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found
