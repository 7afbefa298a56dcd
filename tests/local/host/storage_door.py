"""Storage behind a door that can be shut: then connections are reset, and counted."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class StorageDoor:
    """A context manager; `connection` leads through the door to the account it was made from."""

    def __init__(self, connection: str, queue: str) -> None:
        inside = urlsplit(queue)
        self._inside = (inside.hostname, inside.port)
        self._server = socket.create_server(("127.0.0.1", 0))
        port = self._server.getsockname()[1]
        self.connection = connection.replace(queue, f"http://127.0.0.1:{port}{inside.path}")
        self.turned_away = 0
        self._shut = False
        self._through: list[socket.socket] = []

    def shut(self) -> None:
        """From now on nobody comes through, and whoever is inside is cut off."""
        self._shut = True
        for each in self._through:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self._shut = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._keep, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.shut()

    def _keep(self) -> None:
        with suppress(OSError):
            while True:
                outer, _ = self._server.accept()
                if self._shut:
                    self.turned_away += 1
                    outer.close()
                    continue
                inner = socket.create_connection(self._inside)
                self._through += [outer, inner]
                for one, other in ((outer, inner), (inner, outer)):
                    threading.Thread(target=_pass, args=(one, other), daemon=True).start()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while piece := one.recv(65536):
            other.sendall(piece)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
