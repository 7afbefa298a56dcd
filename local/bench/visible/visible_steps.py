"""The steps of one change until SharePoint shows it, from the simulator's journal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.outside.watcher import PROFILE_WRITES, Entry

# In order; each starts when the previous one ends.
STEPS = (
    "webhook and queue",
    "Graph: the photo's etag",
    "state read, claim written",
    "Graph: user and photo, in a batch; SharePoint: the profile",
    "hash; three pictures made",
    "SharePoint: three uploads at once",
    "SharePoint: properties",
)


@dataclass(frozen=True)
class Change:
    """When each step of one user's change ended; `told` is when Graph sent the notification."""

    told: datetime
    answered: datetime
    ends: tuple[datetime, ...]

    @property
    def seconds(self) -> float:
        """From the notification to the moment when SharePoint shows the photo."""
        return (self.ends[-1] - self.told).total_seconds()

    @property
    def steps(self) -> tuple[float, ...]:
        """The seconds of each of STEPS; their sum is `seconds`."""
        return tuple(
            (end - start).total_seconds()
            for start, end in itertools.pairwise((self.told, *self.ends))
        )

    @property
    def run_seconds(self) -> float:
        """The part of `seconds` that starts with the run's first call."""
        return (self.ends[-1] - self.ends[0]).total_seconds()


def changes(journal: Iterable[Entry], client_id: str) -> dict[str, Change]:
    """The changes that are complete in *journal*, by user; at most one each."""
    of_users: dict[str, list[Entry]] = {}
    for entry in journal:
        if entry.get("userId") and not entry.get("batch"):
            of_users.setdefault(entry["userId"], []).append(entry)
    found = {user_id: _change(entries, client_id) for user_id, entries in of_users.items()}
    return {user_id: change for user_id, change in found.items() if change}


def _change(entries: Sequence[Entry], client_id: str) -> Change | None:
    told = [entry for entry in entries if entry["service"] == "delivery"]
    # Refused calls show nothing.
    calls = [
        entry
        for entry in entries
        if entry["clientId"] == client_id
        and entry["service"] in {"graph", "sharepoint"}
        and entry["status"] < 300
    ]
    # The first call to Graph is for the ETag, then the batch; the others are known by name.
    graph = [entry for entry in calls if entry["service"] == "graph"]
    uploads = _named(calls, "AddUsingPath")
    profiles = _named(calls, "GetPropertiesFor")
    properties = [entry for entry in calls if entry["path"].endswith(PROFILE_WRITES)]
    if not told or len(graph) < 2 or len(uploads) < 3 or not profiles or not properties:
        return None
    etag, batch = graph[:2]
    return Change(
        told=_start(told[0]),
        answered=_end(told[0]),
        ends=(
            _start(etag),
            _end(etag),
            _start(batch),
            max(_end(batch), _end(profiles[0])),
            min(map(_start, uploads)),
            max(map(_end, uploads)),
            max(map(_end, properties)),
        ),
    )


def _named(calls: Iterable[Entry], operation: str) -> list[Entry]:
    return [entry for entry in calls if operation in entry["path"]]


def _start(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["at"])


def _end(entry: Entry) -> datetime:
    return _start(entry) + timedelta(milliseconds=entry["ms"])


def most_at_once(found: Sequence[Change]) -> int:
    """The maximum number of concurrent runs."""
    moments = [(each.ends[0], 1) for each in found] + [(each.ends[-1], -1) for each in found]
    # At the same moment, an end sorts before a start.
    return max(itertools.accumulate(step for _, step in sorted(moments)))
