"""
`python -m local.bench.sweep_process USERS`: one sweep by the product's own classes, then one line
of JSON about it.
"""

from __future__ import annotations

import functools
import json
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from local.bench import memory
from local.bench.sweep_world import (
    GRAPH,
    ONE_CHANGED_IN,
    RECIPE,
    SIZES,
    Answers,
    Counted,
    MemoryDocuments,
    NoTokens,
    Pages,
    States,
)
from shared import scope, upkeep_messages
from shared.graph import GraphClient
from shared.http import Http
from shared.listing import UserListing
from shared.settings import Settings
from shared.sweep import Sweep
from shared.sweep_log import SweepLogs
from shared.sweep_page import PageLook, UserQueue
from shared.upkeep_messages import SWEEP_PAGE

# What the settings' reader asks for; nobody is called.
_SETTINGS = {
    "TENANT_ID": "00000000-0000-4000-8000-000000000001",
    "CLIENT_ID": "00000000-0000-4000-8000-000000000002",
    "CLIENT_CERTIFICATE": "none",
    "SHAREPOINT_TENANT": "contoso",
    "CLIENT_STATE": "none",
    "AzureWebJobsStorage": "none",
}


@dataclass(frozen=True)
class Figures:
    """
    What one sweep came to; `expected` users differ, as the tenant was made to have them.

    `graph_seconds` are what Graph would take, by its limits for an app and a mailbox, or for an
    app alone.
    """

    users: int
    calls: int
    queued: int
    expected: int
    seconds: float
    graph_seconds: int
    graph_seconds_by_app: int
    peak_mb: float


def main(users: int) -> Figures:
    """Start a sweep of so many users and work off its pages."""
    pages, queued, graph = Pages(), Counted(), Answers(users)
    sweep = _sweep(graph, pages, queued)
    began = time.perf_counter()
    sweep.start()
    while pages:
        message = upkeep_messages.parse(pages.popleft().encode())
        assert message.kind == SWEEP_PAGE, message.kind
        sweep.work_off(message.sweep_id, message.page)
    return Figures(
        users=users,
        calls=graph.calls,
        queued=len(queued.messages),
        expected=len(range(0, users, ONE_CHANGED_IN)),
        seconds=round(time.perf_counter() - began, 2),
        graph_seconds=round(graph.time.seconds),
        graph_seconds_by_app=round(graph.time_by_app.seconds),
        peak_mb=round(memory.peak_kb() / 1024, 2),
    )


def _sweep(graph: Answers, pages: Pages, queued: Counted) -> Sweep:
    # A session for each thread as in the product, and all of them are this one.
    http = Http("graph", GRAPH, NoTokens(), session=lambda: graph)
    settings = Settings.from_mapping(_SETTINGS)
    look = PageLook(
        GraphClient(http),
        States(),
        check_scope=functools.partial(scope.check, settings=settings),
        sizes=SIZES,
        recipe=RECIPE,
        dry_run=False,
        removes=True,
        clock=_now,
    )
    users = UserQueue(queued, clock=_now, new_id=_new_id)
    logs = SweepLogs(MemoryDocuments())
    return Sweep(UserListing(http), look, logs, users, pages, clock=_now, new_id=_new_id)


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid.uuid4())


if __name__ == "__main__":
    print(json.dumps(asdict(main(int(sys.argv[1])))))
