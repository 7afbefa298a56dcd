"""
`python -m local.bench.sweep.sweep_process USERS`: one sweep by the product's own classes, then one
line of JSON about it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from local.bench.measuring.conditions import LIMITS
from local.bench.measuring.memory import peak_mb
from local.bench.sweep.sweep_world import (
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
from shared.graph.client import GraphClient
from shared.graph.user_listing import UserListing
from shared.messages import upkeep_message
from shared.messages.upkeep_message import SWEEP_PAGE
from shared.microsoft365.http import Http
from shared.storage.user_state import Store
from shared.sweeping.fill_log import FillLogs
from shared.sweeping.pace import Pace
from shared.sweeping.snapshot import SnapshotParts
from shared.sweeping.state_page import StateChecker
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLogs
from shared.sweeping.sweep_page import PageChecker
from shared.sweeping.turns import Turns
from shared.sweeping.user_queue import UserQueue
from shared.user import User

# Besides, the host receives each message of a queue and deletes it.
CALLS_A_MESSAGE = 3


@dataclass(frozen=True)
class Figures:
    """
    The result of one sweep.

    By construction of the tenant, `expected` users differ; `wrongly` is the number of extra
    messages and of users left out. Three of `storage_calls` are for each message of the sweep
    itself: written, received and deleted.
    """

    users: int
    calls: int
    queued: int
    expected: int
    wrongly: int
    storage_calls: int
    peak_mb: float


def main(users: int) -> Figures:
    """Start a sweep of *users* users and process its pages."""
    graph, pages, queued, states = Answers(users), Pages(), Counted(), States(users)
    with tempfile.TemporaryDirectory() as folder:
        documents = MemoryDocuments(Path(folder))
        sweep = _sweep(graph, pages, queued, states, documents)
        sweep.start()
        while pages:
            message = upkeep_message.parse(pages.popleft().encode(), now=_now())
            assert message.kind == SWEEP_PAGE, message.kind
            sweep.process(message.sweep_id, message.page)
    expected = len(range(0, users, ONE_CHANGED_IN))
    calls = documents.calls + states.calls + CALLS_A_MESSAGE * pages.sent
    return Figures(
        users=users,
        calls=graph.calls,
        queued=queued.messages,
        expected=expected,
        wrongly=queued.wrongly(expected),
        storage_calls=calls + queued.messages,
        peak_mb=round(peak_mb(), 2),
    )


def _sweep(
    graph: Answers, pages: Pages, queued: Counted, states: States, documents: MemoryDocuments
) -> Sweep:
    # As in the product, each thread gets a session; here all are this one.
    http = Http("graph", GRAPH, NoTokens(), session=lambda: graph)
    client = GraphClient(http)
    look = PageChecker(
        client,
        states,
        check_scope=_in_scope,
        sizes=SIZES,
        recipe=RECIPE,
        dry_run=False,
        removes=True,
        clock=_now,
    )
    stored = StateChecker(
        states,
        client,
        look,
        check_scope=_in_scope,
        forget_after=timedelta(days=30),
        clock=_now,
    )
    users = UserQueue(queued, clock=_now, new_id=_new_id)
    fills, pace = FillLogs(documents), Pace(LIMITS["peopleCallsPer5Minutes"])
    return Sweep(
        UserListing(http),
        look,
        stored,
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


def _in_scope(user: User) -> None:
    """No setting excludes anybody."""


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid.uuid4())


if __name__ == "__main__":
    print(json.dumps(asdict(main(int(sys.argv[1])))))
