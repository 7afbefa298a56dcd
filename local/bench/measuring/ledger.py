"""
Counts the app's calls to each service between two moments, at the services: in the simulator's
journal and in Azurite's request log, not in our own code.

Calls of a kind unknown for app and host are UNKNOWN, and so are calls with another client's token
or without one. Azurite's log has no client: if the app polled a queue as the host does, renewed or
deleted a message, or sent one without a delay, it would count as the host.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from azure.core.exceptions import ResourceNotFoundError

from local.cloud.stack import Stack
from local.outside import spectator
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Entry
from shared.budget.fleet_budget import BUDGETS
from shared.storage.azure import CONTAINER, ORDERS
from shared.uninstalling.uninstall_log import NAME

GRAPH, UPLOADS, FILES, PROFILES = "Graph", "upload", "other file", "profile"
# A digest is valid for half an hour, for all users.
DIGEST = "digest"
LOGIN, BLOB, QUEUE, LENGTH = "login", "blob", "queue", "queue length"
# Of the Functions host: messages sent by an output binding, messages deleted, locks renewed; and
# its polls, which cost the same whether anything happens or not, like its timers' leases.
HOST, POLLS = "host", "polls"
# Subsets: of QUEUE the messages that the app queued with a delay, which replace others; and of HOST
# the messages about a user that were processed, each of which the host deletes.
DELAYED, PROCESSED = "queued with a delay", "processed"
# Of the app: the check for an uninstall, once a minute in each process.
HALT = "halt"
# Of the app: the document with which instances share the profile calls. A portion is drawn when the
# last one is used up, and given back after some time, in whichever case that falls.
BUDGET = "budget"
# Lines of the log that signs orders of people and texts that they type into a queue.
ORDER = "order line"
UNKNOWN = "unknown"

_REQUEST = re.compile(r'"(?P<method>\S+) /\w*/?(?P<path>[^ ?]*)\??(?P<query>\S*) HTTP/')
_QUEUES = ("photo-sync", "photo-upkeep", "photo-sync-poison", "photo-upkeep-poison")
_DELAY = re.compile(r"\bvisibilitytimeout=[1-9]")
# Where hosts store the locks and schedules of their timers.
_OF_HOSTS = "azure-webjobs-hosts"
_SECONDS = 120


class Mark(NamedTuple):
    """A moment: the journal's last number, and the length of storage's log."""

    entry: int
    offset: int


class Ledger:
    """Counts calls to a stack with `log_storage`."""

    def __init__(self, stack: Stack, tenant: TenantClient) -> None:
        self._log = stack.storage_log
        self._app = stack.endpoints.app_client_id
        self._admin = stack.endpoints.client_id
        self._tenant = tenant
        self._queues = spectator.queues(stack.endpoints.storage)
        self._last = self._offset = 0
        self._numbers = itertools.count(1)

    def mark(self) -> Mark:
        """The current moment."""
        self._last = self._tenant.control("GET", f"/journal?after={self._last}")["last"]
        return Mark(self._last, self._written())

    def since(self, mark: Mark, *, user_id: str = "") -> Counter[str]:
        """
        Calls since *mark* by kind, of all clients except admin and spectators; only those about one
        user if given.
        """
        lines, entries = self._lines(mark), self.journal(mark)
        asked = [entry for entry in entries if entry.get("clientId") != self._admin]
        return counted(asked, self._app, user_id) + Counter(storage_calls(lines, user_id))

    def journal(self, mark: Mark) -> list[Entry]:
        """The simulator's requests since *mark*, by any client."""
        entries: list[Entry] = self._tenant.control("GET", f"/journal?after={mark.entry}")[
            "entries"
        ]
        return entries

    def _lines(self, mark: Mark) -> list[str]:
        """The lines of storage's log since *mark*."""
        end = self._written()
        with self._log.open("rb") as log:
            log.seek(mark.offset)
            return log.read(end - mark.offset).decode().splitlines()

    def _written(self) -> int:
        """The offset in the log after the line of the last request made before this call."""
        name = f"marker-{next(self._numbers)}"
        with suppress(ResourceNotFoundError):
            self._queues.get_queue_client(name).get_queue_properties()
        deadline = time.monotonic() + _SECONDS
        with self._log.open("rb") as log:
            log.seek(self._offset)
            text = b""
            while not (end := end_of_line(name, text)):
                assert time.monotonic() < deadline, f"{name} is not in {self._log}"
                # The line may come after the answer, and a growing file sends no signal.
                time.sleep(0.02)
                text += log.read()
            self._offset += end
        return self._offset


def end_of_line(name: str, log: bytes) -> int:
    """The offset in *log* after the line that contains *name*; 0 until it is complete."""
    found = re.search(rb"/%b\?.*\n" % name.encode(), log)
    return found.end() if found else 0


def counted(entries: Iterable[Entry], client_id: str, user_id: str = "") -> Counter[str]:
    """
    The calls of *client_id* to Microsoft 365; a batch is one call, whichever users it contains.
    """
    return Counter(
        _kind(entry, client_id)
        for entry in entries
        if entry["service"] != "delivery"
        and not entry.get("batch")
        and user_id in {"", entry.get("userId")}
    )


def storage_calls(lines: Iterable[str], user_id: str = "") -> Iterator[str]:
    """The kind of each request in Azurite's log except a spectator's, with its subset if any."""
    for line in lines:
        found = _REQUEST.search(line)
        if found and user_id in found["path"] and spectator.MARK not in found["query"]:
            method, path, query = found["method"], found["path"], found["query"]
            kind = _storage_kind(method, path, query)
            yield kind
            if kind == QUEUE and _DELAY.search(query):
                yield DELAYED
            if kind == HOST and method == "DELETE" and path.startswith("photo-sync/"):
                yield PROCESSED


def _kind(entry: Entry, client_id: str) -> str:
    service, client = entry["service"], entry.get("clientId")
    # A request for the login service's token endpoint has no client id yet.
    if client != client_id and (service, client) != ("login", None):
        return UNKNOWN
    if service != "sharepoint":
        return {"graph": GRAPH, "login": LOGIN}.get(service, UNKNOWN)
    path = entry["path"].casefold()
    if "peoplemanager" in path or path.endswith("processquery"):
        return PROFILES
    if path.endswith("contextinfo"):
        return DIGEST
    return UPLOADS if "/files/add" in path else FILES


def _storage_kind(method: str, path: str, query: str) -> str:
    name, _, rest = path.partition("/")
    if name == CONTAINER:
        if rest.startswith(BUDGETS):
            return BUDGET
        return HALT if (method, rest) == ("GET", NAME) else BLOB
    if name not in _QUEUES:
        return {ORDERS: ORDER, _OF_HOSTS: POLLS}.get(name, UNKNOWN)
    locks = "visibilitytimeout" in query
    match method, rest.split("/"):
        case "POST", ["messages"]:
            # Only the app itself sets a delay: a binding cannot.
            return QUEUE if locks else HOST
        case "GET", ["messages"] if locks:
            return POLLS
        case "PUT" | "DELETE", ["messages", _]:
            return HOST
        case "GET", [""] if query == "comp=metadata":
            # The real host reads it only for scaling, which our host does not do.
            return LENGTH
        case _:
            return UNKNOWN
