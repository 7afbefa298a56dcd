"""A TCP proxy in front of storage: while it is closed, it resets connections and counts them."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class StorageProxy:
    """A context manager; `connection` is the account's connection string through the proxy."""

    def __init__(self, connection: str, queue: str) -> None:
        target = urlsplit(queue)
        self._target = (target.hostname, target.port)
        self._server = socket.create_server(("127.0.0.1", 0))
        port = self._server.getsockname()[1]
        self.connection = connection.replace(queue, f"http://127.0.0.1:{port}{target.path}")
        self.refused = 0
        self._closed = False
        self._sockets: list[socket.socket] = []

    def close(self) -> None:
        """Refuse new connections and cut off the existing ones."""
        self._closed = True
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self._closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                outer, _ = self._server.accept()
                if self._closed:
                    self.refused += 1
                    outer.close()
                    continue
                inner = socket.create_connection(self._target)
                self._sockets += [outer, inner]
                for one, other in ((outer, inner), (inner, outer)):
                    threading.Thread(target=_copy, args=(one, other), daemon=True).start()


def _copy(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while piece := one.recv(65536):
            other.sendall(piece)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
