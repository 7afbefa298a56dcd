"""
What the app asked of each service between two moments, counted where it arrives: in the simulator's
journal and in Azurite's log of requests, not in our own code.

What has none of the kinds that app and host are known for is UNKNOWN, and so is whatever comes with
a token of somebody else or with none. Azurite's log names nobody: were the app to poll a queue as
the host does, renew or delete a message, or send one without a delay, it would pass for the host.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from azure.core.exceptions import ResourceNotFoundError

from local.cloud.stack import Stack
from local.outside import spectator
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Entry
from shared.storage.azure import CONTAINER, ORDERS
from shared.uninstalling.uninstall_log import NAME

GRAPH, UPLOADS, FILES, PROFILES = "Graph", "upload", "other file", "profile"
LOGIN, BLOB, QUEUE, LENGTH = "login", "blob", "queue", "queue length"
# Of the Functions host: messages that an output binding sent, messages deleted, locks renewed; and
# its polls, which cost the same whether anything happens or not, as do the leases of its timers.
HOST, POLLS = "host", "polls"
# Besides, of these two: what the app queued to be seen at once, and what the host sent to upkeep.
AT_ONCE, FOR_UPKEEP = "queued at once", "sent to upkeep"
# Of the app: whether it is being uninstalled, once a minute in each process whatever happens.
HALT = "halt"
# Lines of the log that signs what a person orders or types into a queue.
ORDER = "order line"
UNKNOWN = "unknown"
BYTES = "bytes"

_REQUEST = re.compile(r'"(?P<method>\S+) /\w*/?(?P<path>[^ ?]*)\??(?P<query>\S*) HTTP/')
_QUEUES = ("photo-sync", "photo-upkeep", "photo-sync-poison", "photo-upkeep-poison")
_AT_ONCE = re.compile(r"\bvisibilitytimeout=0\b")
# Where hosts keep locks and schedules of their timers.
_OF_HOSTS = "azure-webjobs-hosts"
_SECONDS = 120


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
        self._admin = stack.endpoints.client_id
        self._tenant = tenant
        self._queues = spectator.queues(stack.endpoints.storage)
        self._last = self._offset = 0
        self._numbers = itertools.count(1)

    def mark(self) -> Mark:
        """Now."""
        self._last = self._tenant.control("GET", f"/journal?after={self._last}")["last"]
        return Mark(self._last, self._written())

    def since(self, mark: Mark, *, user_id: str = "", client_id: str = "") -> Counter[str]:
        """
        Calls since *mark* by kind, those about one user if given. Bytes are of bodies, both ways.

        Of everybody but admin and spectators; with *client_id*, of that client at Microsoft 365.
        """
        lines, entries = self._lines(mark), self.journal(mark)
        if client_id:
            own = [entry for entry in entries if entry.get("clientId") == client_id]
            return counted(own, client_id, user_id)
        asked = [entry for entry in entries if entry.get("clientId") != self._admin]
        return counted(asked, self._app, user_id) + Counter(storage_calls(lines, user_id))

    def journal(self, mark: Mark) -> list[Entry]:
        """What the simulator was asked since *mark*, by anybody."""
        entries: list[Entry] = self._tenant.control("GET", f"/journal?after={mark.entry}")[
            "entries"
        ]
        return entries

    def told(self, mark: Mark) -> list[str]:
        """Journal and log since *mark*, line by line, for whoever looks for one call of many."""
        return [*map(json.dumps, self.journal(mark)), *self._lines(mark)]

    def _lines(self, mark: Mark) -> list[str]:
        """What storage's log tells since *mark*."""
        end = self._written()
        with self._log.open("rb") as log:
            log.seek(mark.offset)
            return log.read(end - mark.offset).decode().splitlines()

    def _written(self) -> int:
        """Where the line ends by which the log tells of all that was asked before."""
        name = f"marker-{next(self._numbers)}"
        with suppress(ResourceNotFoundError):
            self._queues.get_queue_client(name).get_queue_properties()
        deadline = time.monotonic() + _SECONDS
        with self._log.open("rb") as log:
            log.seek(self._offset)
            text = b""
            while not (end := told_of(name, text)):
                assert time.monotonic() < deadline, f"{self._log} does not tell of {name}"
                # The line may come after the answer, and a file tells nobody that it grew.
                time.sleep(0.02)
                text += log.read()
            self._offset += end
        return self._offset


def told_of(name: str, log: bytes) -> int:
    """Where in *log* the line ends that tells of *name*; 0 as long as it is not all there."""
    found = re.search(rb"/%b\?.*\n" % name.encode(), log)
    return found.end() if found else 0


def counted(entries: Iterable[Entry], client_id: str, user_id: str = "") -> Counter[str]:
    """What *client_id* asked of Microsoft 365; a batch is one call, whoever it is about."""
    counts: Counter[str] = Counter()
    for entry in entries:
        asked = entry["service"] != "delivery" and not entry.get("batch")
        if asked and user_id in {"", entry.get("userId")}:
            counts[_kind(entry, client_id)] += 1
            counts[BYTES] += entry["received"] + entry["sent"]
    return counts


def storage_calls(lines: Iterable[str], user_id: str = "") -> Iterator[str]:
    """The kind of each request in Azurite's log but a spectator's, and what it was besides."""
    for line in lines:
        found = _REQUEST.search(line)
        if found and user_id in found["path"] and spectator.MARK not in found["query"]:
            asked = found["method"], found["path"], found["query"]
            kind = _storage_kind(*asked)
            yield kind
            if kind == QUEUE and _AT_ONCE.search(found["query"]):
                yield AT_ONCE
            if kind == HOST and asked[:2] == ("POST", "photo-upkeep/messages"):
                yield FOR_UPKEEP


def _kind(entry: Entry, client_id: str) -> str:
    service, client = entry["service"], entry.get("clientId")
    # Who asks the login service where its tokens are has not said yet who it is.
    if client != client_id and (service, client) != ("login", None):
        return UNKNOWN
    if service != "sharepoint":
        return {"graph": GRAPH, "login": LOGIN}.get(service, UNKNOWN)
    path = entry["path"].casefold()
    if "peoplemanager" in path:
        return PROFILES
    return UPLOADS if "/files/add" in path else FILES


def _storage_kind(method: str, path: str, query: str) -> str:
    name, _, rest = path.partition("/")
    if name == CONTAINER:
        return HALT if (method, rest) == ("GET", NAME) else BLOB
    if name == ORDERS:
        return ORDER
    if name not in _QUEUES:
        return POLLS if name == _OF_HOSTS else UNKNOWN
    locks = "visibilitytimeout" in query
    match method, rest.split("/"):
        case "POST", ["messages"]:
            # Only the app itself names a delay: a binding cannot.
            return QUEUE if locks else HOST
        case "GET", ["messages"] if locks:
            return POLLS
        case "PUT" | "DELETE", ["messages", _]:
            return HOST
        case "GET", [""] if query == "comp=metadata":
            # The host only asks for them to scale, which this one does not.
            return LENGTH
        case _:
            return UNKNOWN
