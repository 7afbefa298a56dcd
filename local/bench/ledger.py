"""
What the app asked of each service between two moments, counted where it arrives: in the simulator's
journal and in Azurite's log of requests, not in our own code.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from local.clients import TenantClient
from local.stack import Stack
from local.watch import Entry

GRAPH, UPLOADS, FILES, PROFILES = "Graph", "upload", "other file", "profile"
LOGIN, BLOB, QUEUE = "login", "blob", "queue"
# Of the Functions host: messages that an output binding or a person sent, messages deleted, locks
# renewed; and its polls, which cost the same whether anything happens or not.
HOST, POLLS = "host", "polls"
BYTES = "bytes"

_REQUEST = re.compile(r'"(?P<method>[A-Z]+) /\w+/(?P<path>[^ ?]*)\??(?P<query>\S*) HTTP')
_SECONDS = 10


@dataclass(frozen=True)
class Mark:
    """A moment: the journal's last number, and how long storage's log was."""

    entry: int
    offset: int


class Ledger:
    """Of a stack with `log_storage`."""

    def __init__(self, stack: Stack, tenant: TenantClient) -> None:
        self._log = stack.storage_log
        self._app = stack.endpoints.app_client_id
        self._tenant = tenant
        self._queues = QueueServiceClient.from_connection_string(stack.endpoints.storage)
        self._last = self._offset = 0
        self._numbers = itertools.count(1)

    def mark(self) -> Mark:
        """Now."""
        self._last = self._tenant.control("GET", f"/journal?after={self._last}")["last"]
        return Mark(self._last, self._written())

    def since(self, mark: Mark, *, user_id: str = "", client_id: str = "") -> Counter[str]:
        """
        Calls of the app, or of *client_id*, since *mark* by kind, those about one user if given.

        Bytes are of bodies, both ways. What nobody asked is not in it.
        """
        end = self._written()
        entries = self.journal(mark)
        counts = counted(entries, client_id or self._app, user_id)
        if not client_id:
            with self._log.open("rb") as log:
                log.seek(mark.offset)
                text = log.read(end - mark.offset).decode()
            counts += Counter(kind for kind in storage_calls(text.splitlines(), user_id) if kind)
        return counts

    def journal(self, mark: Mark) -> list[Entry]:
        """What the simulator was asked since *mark*, by anybody."""
        entries: list[Entry] = self._tenant.control("GET", f"/journal?after={mark.entry}")[
            "entries"
        ]
        return entries

    def _written(self) -> int:
        """How long the log is once it tells of all that was asked before."""
        name = f"marker-{next(self._numbers)}"
        with suppress(ResourceNotFoundError):
            self._queues.get_queue_client(name).get_queue_properties()
        deadline = time.monotonic() + _SECONDS
        with self._log.open("rb") as log:
            log.seek(self._offset)
            text = b""
            while f"/{name}?".encode() not in text:
                assert time.monotonic() < deadline, f"{self._log} does not tell of {name}"
                # The line may come after the answer, and a file tells nobody that it grew.
                time.sleep(0.02)
                text += log.read()
            self._offset = log.tell()
        return self._offset


def counted(entries: Iterable[Entry], client_id: str, user_id: str = "") -> Counter[str]:
    """What *client_id* asked of Microsoft 365; a batch is one call, whoever it is about."""
    counts: Counter[str] = Counter()
    for entry in entries:
        asked = entry.get("clientId") == client_id and entry["service"] != "delivery"
        if asked and not entry.get("batch") and user_id in {"", entry.get("userId")}:
            counts[_kind(entry)] += 1
            counts[BYTES] += entry["received"] + entry["sent"]
    return counts


def storage_calls(lines: Iterable[str], user_id: str = "") -> Iterator[str]:
    """The kind of each request in Azurite's log; empty for what neither app nor host asks."""
    for line in lines:
        found = _REQUEST.search(line)
        if found and user_id in found["path"]:
            yield _storage_kind(found["method"], found["path"], found["query"])


def _kind(entry: Entry) -> str:
    if entry["service"] != "sharepoint":
        return {"graph": GRAPH, "login": LOGIN}[entry["service"]]
    path = entry["path"].casefold()
    if "peoplemanager" in path:
        return PROFILES
    return UPLOADS if "/files/add" in path else FILES


def _storage_kind(method: str, path: str, query: str) -> str:
    name, _, rest = path.partition("/")
    if name == "photo-sync-state":
        return BLOB
    if not rest.startswith("messages"):
        return ""  # somebody looks how long the queue is
    match method:
        case "POST":
            # Only the app itself names a delay: a binding cannot, and no person here does.
            return QUEUE if "visibilitytimeout" in query else HOST
        case "GET":
            return POLLS
        case _:
            return HOST
