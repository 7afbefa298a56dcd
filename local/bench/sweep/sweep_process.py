"""
`python -m local.bench.sweep.sweep_process USERS`: one sweep by the product's own classes, then one
line of JSON about it.

With `--compare`, only its second half, the only one that holds data about each user in memory:
Graph's answers are there already.
"""

from __future__ import annotations

import functools
import json
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from local.bench.measuring import memory
from local.bench.sweep.sweep_world import (
    GRAPH,
    ONE_CHANGED_IN,
    RECIPE,
    SIZES,
    USERS_A_PAGE,
    Answers,
    Counted,
    MemoryDocuments,
    NoTokens,
    Pages,
    States,
    user_id,
)
from shared import scope
from shared.graph.client import GraphClient
from shared.graph.user_listing import UserListing
from shared.messages import upkeep_message
from shared.messages.upkeep_message import SWEEP_PAGE
from shared.microsoft365.http import Http
from shared.settings.app import Settings
from shared.storage.user_state import Store
from shared.sweeping.fill_log import FillLogs
from shared.sweeping.pace import Pace
from shared.sweeping.snapshot import Part, SnapshotParts
from shared.sweeping.state_page import StateLook
from shared.sweeping.stretch import PAGES_A_RUN
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import STATES, SweepLogs
from shared.sweeping.sweep_page import PageLook
from shared.sweeping.turns import Turns
from shared.sweeping.user_queue import UserQueue

# Besides, the host receives each message of a queue and deletes it.
CALLS_A_MESSAGE = 3
# How long a batch is in progress while the product's concurrency is observed.
_LOOK_SECONDS = 0.02
# Required by the settings' reader; nothing is called.
_SETTINGS = {
    "TENANT_ID": "00000000-0000-4000-8000-000000000001",
    "CLIENT_ID": "00000000-0000-4000-8000-000000000002",
    "CLIENT_CERTIFICATE": "none",
    "SHAREPOINT_TENANT": "contoso",
    "CLIENT_STATE": "none-of-this-is-called",
    "AzureWebJobsStorage": "none",
}


@dataclass(frozen=True)
class Figures:
    """
    The result of one sweep.

    By construction of the tenant, `expected` users differ; `wrongly` is the number of extra
    messages and of users left out. Three of `storage_calls` are for each message of the sweep
    itself: written, received and deleted.

    `graph_seconds` is the time that Graph would take, by its limits for an app and a mailbox, or
    for an app alone; `batches_at_once` is the observed concurrency of the product.
    """

    users: int
    calls: int
    queued: int
    expected: int
    wrongly: int
    batches_at_once: int
    storage_calls: int
    seconds: float
    graph_seconds: int
    graph_seconds_by_app: int
    peak_mb: float


def main(users: int) -> Figures:
    """Start a sweep of *users* users and process its pages."""
    look = Answers(USERS_A_PAGE, seconds=_LOOK_SECONDS)
    _swept(look)
    graph = Answers(users, look.most_at_once)
    began = time.perf_counter()
    queued, storage_calls = _swept(graph)
    seconds = time.perf_counter() - began
    expected = len(range(0, users, ONE_CHANGED_IN))
    return Figures(
        users=users,
        calls=graph.calls,
        queued=len(queued.messages),
        expected=expected,
        wrongly=queued.wrongly(expected),
        batches_at_once=look.most_at_once,
        storage_calls=storage_calls,
        seconds=round(seconds, 2),
        graph_seconds=round(graph.time.seconds),
        graph_seconds_by_app=round(graph.time_by_app.seconds),
        peak_mb=round(memory.peak_kb() / 1024, 2),
    )


@dataclass(frozen=True)
class Comparison:
    """The result of the second half of a sweep."""

    users: int
    expected: int
    wrongly: int
    seconds: float
    peak_mb: float


def compared(users: int) -> Comparison:
    """Compare *users* users with their states, as a sweep does after Graph answered about all."""
    pages, queued, states = Pages(), Counted(), States(users)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        documents = MemoryDocuments(Path(folder))
        sweep = _sweep(Answers(users), pages, queued, states, documents)
        logs = SweepLogs(documents)
        found, read = logs.read(sweep.start()) or (None, None)
        assert found
        size = USERS_A_PAGE * PAGES_A_RUN
        kept = SnapshotParts(documents)
        parts = [
            kept.keep(found.id, _part(range(start, min(start + size, users))))
            for start in range(0, users, size)
        ]
        logs.write(replace(found, next=STATES, users=users, parts=parts), after=read)
        _worked_off(sweep, pages)
    expected = len(range(0, users, ONE_CHANGED_IN))
    return Comparison(
        users=users,
        expected=expected,
        wrongly=queued.wrongly(expected),
        seconds=round(time.perf_counter() - began, 2),
        peak_mb=round(memory.peak_kb() / 1024, 2),
    )


def _part(numbers: range) -> bytes:
    part = Part()
    for start in numbers[::USERS_A_PAGE]:
        page = range(start, min(start + USERS_A_PAGE, numbers.stop))
        part.add({user_id(number): f'W/"{user_id(number)}"' for number in page})
    return part.to_bytes()


def _worked_off(sweep: Sweep, pages: Pages) -> None:
    while pages:
        message = upkeep_message.parse(pages.popleft().encode(), now=datetime.now(UTC))
        assert message.kind == SWEEP_PAGE, message.kind
        sweep.work_off(message.sweep_id, message.page)


def _swept(graph: Answers) -> tuple[Counted, int]:
    """The users that a complete sweep queued, and its number of storage calls."""
    pages, queued, states = Pages(), Counted(), States(graph.users)
    with tempfile.TemporaryDirectory() as folder:
        documents = MemoryDocuments(Path(folder))
        sweep = _sweep(graph, pages, queued, states, documents)
        sweep.start()
        _worked_off(sweep, pages)
    calls = documents.calls + len(states.calls) + CALLS_A_MESSAGE * pages.sent
    return queued, calls + len(queued.messages)


def _sweep(
    graph: Answers, pages: Pages, queued: Counted, states: States, documents: MemoryDocuments
) -> Sweep:
    # As in the product, each thread gets a session; here all are this one.
    http = Http("graph", GRAPH, NoTokens(), session=lambda: graph)
    settings = Settings.from_mapping(_SETTINGS)
    look = PageLook(
        GraphClient(http),
        states,
        check_scope=functools.partial(scope.check, settings=settings),
        sizes=SIZES,
        recipe=RECIPE,
        dry_run=False,
        removes=True,
        clock=_now,
    )
    remembered = StateLook(
        states,
        GraphClient(http),
        look,
        check_scope=functools.partial(scope.check, settings=settings),
        forget_after=settings.forget_after,
        clock=_now,
    )
    users = UserQueue(queued, clock=_now, new_id=_new_id)
    fills, pace = FillLogs(documents), Pace(settings.profile_calls)
    return Sweep(
        UserListing(http),
        look,
        remembered,
        SweepLogs(documents),
        SnapshotParts(documents),
        users,
        Turns(fills, users, pages, pace=lambda: pace, clock=_now),
        pages,
        # Graph answers about every user here, so the sweep itself writes no state.
        cast(Store, states),
        clock=_now,
        new_id=_new_id,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid.uuid4())


if __name__ == "__main__":
    *options, size = sys.argv[1:]
    figures = compared(int(size)) if options else main(int(size))
    print(json.dumps(asdict(figures)))
