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
        self._closed = self._ended = False
        # A connection is either refused or among the sockets that `close` cuts off.
        self._changing = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._copying: list[threading.Thread] = []

    def close(self) -> None:
        """Refuse new connections and cut off the existing ones."""
        with self._changing:
            self._closed = True
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self._closed = False

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._ended = True
        # Wakes `_accept`.
        socket.create_connection(self._server.getsockname()).close()
        self._accepting.join()
        for thread in self._copying:
            thread.join()
        for each in (self._server, *self._sockets):
            each.close()

    def _accept(self) -> None:
        while not self._ended:
            outer, _ = self._server.accept()
            with self._changing:
                if self._closed:
                    self.refused += 1
                    outer.close()
                else:
                    self._connect(outer)

    def _connect(self, outer: socket.socket) -> None:
        inner = socket.create_connection(self._target)
        self._sockets += [outer, inner]
        for one, other in ((outer, inner), (inner, outer)):
            self._copying.append(threading.Thread(target=_copy, args=(one, other), daemon=True))
            self._copying[-1].start()


def _copy(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while piece := one.recv(65536):
            other.sendall(piece)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
