"""
`python -m tools.cost`: what a month costs in calls and in money, for three sizes of tenant.

The calls are those that `make bench ONLY=calls` and `ONLY=sweep` count; how often something happens
and what Azure asks for it are assumptions, named here, to be replaced by your own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from shared.graph.batch import LIMIT
from shared.graph.user_listing import PAGE
from shared.sweeping.state_page import STATES_A_PAGE
from shared.sweeping.sweep_log import FEWEST_ASKED, ONE_ASKED_IN

TENANTS = (1_000, 10_000, 100_000)
# What is assumed to happen in a month of thirty days, per user where it is about users.
NOTIFICATIONS, PHOTO_CHANGES = 10, 1 / 12
SWEEPS, RENEWALS = 720, 60
# Seconds for which an execution is paid: no less than one, and no sharing of an instance.
SECONDS_TO_LOOK, SECONDS_TO_COPY, SECONDS_A_PAGE = 1, 3, 20
INSTANCE_GB = 2
SECONDS_A_MONTH = 30 * 24 * 3600
# Between two looks at a queue that is empty, as host.json has it.
SECONDS_BETWEEN_POLLS = 0.1
# What one execution leaves in Application Insights, in KB.
LOGGED_KB = 2

# US dollars, list prices of one American region as far as they are known; check the pricing pages.
PER_MILLION_EXECUTIONS = 0.40
PER_GB_SECOND, PER_GB_SECOND_READY = 0.000026, 0.000004
PER_10_000_READS, PER_10_000_WRITES = 0.004, 0.05
PER_10_000_QUEUE_CALLS = 0.004
PER_GB_LOGGED = 2.76


@dataclass(frozen=True)
class Month:
    """What PhotoSync does in a month, in calls unless the name says otherwise."""

    users: int
    graph: int
    sharepoint: int
    blob_reads: int
    blob_writes: int
    queue: int
    executions: int
    gb_seconds: int

    def dollars(self) -> Iterator[float]:
        """Instances, one of them always ready; storage; logs."""
        yield (
            self.executions / 1e6 * PER_MILLION_EXECUTIONS
            + self.gb_seconds * PER_GB_SECOND
            + SECONDS_A_MONTH * INSTANCE_GB * PER_GB_SECOND_READY
        )
        yield (
            self.blob_reads / 1e4 * PER_10_000_READS
            + self.blob_writes / 1e4 * PER_10_000_WRITES
            + self.queue / 1e4 * PER_10_000_QUEUE_CALLS
        )
        yield self.executions * LOGGED_KB / 1e6 * PER_GB_LOGGED


def month(users: int, *, sweeps: int = SWEEPS) -> Month:
    """The month of a tenant of so many users."""
    looks, copies = users * NOTIFICATIONS, round(users * PHOTO_CHANGES)
    pages = math.ceil(users / PAGE) * sweeps
    # Of states, whose leavers Graph does not list.
    state_pages = math.ceil(users / STATES_A_PAGE) * sweeps
    asked = min(users, max(FEWEST_ASKED, users // ONE_ASKED_IN))
    batches = (math.ceil(users / LIMIT) + math.ceil(asked / LIMIT)) * sweeps
    runs = looks + copies + pages + state_pages + sweeps + RENEWALS
    return Month(
        users=users,
        graph=looks + 2 * copies + pages + batches + RENEWALS,
        sharepoint=5 * copies,
        blob_reads=looks + copies + users * sweeps + 2 * (pages + state_pages),
        # To list costs what to write does.
        blob_writes=2 * copies + 2 * sweeps + pages + 2 * state_pages,
        # Put, taken and deleted; polling goes by how long instances are up, see `polling`.
        queue=3 * runs,
        # Each notification is taken to come in a POST of its own.
        executions=runs + looks,
        gb_seconds=INSTANCE_GB
        * (looks * (1 + SECONDS_TO_LOOK) + copies * SECONDS_TO_COPY + pages * SECONDS_A_PAGE),
    )


def polling() -> float:
    """The dollars of a month in which one instance of a queue's function never sleeps."""
    polls = SECONDS_A_MONTH / SECONDS_BETWEEN_POLLS
    return polls / 1e4 * PER_10_000_QUEUE_CALLS


def table() -> str:
    """A line for each size, in Markdown."""
    lines = [
        "| Users | Graph calls | SharePoint calls | blob reads | blob writes | executions "
        "| instances | storage | logs | in all |",
        "|" + "---:|" * 10,
    ]
    for users in TENANTS:
        found = month(users)
        counts = (users, found.graph, found.sharepoint, found.blob_reads, found.blob_writes)
        parts = list(found.dollars())
        cells = [f"{count:,}" for count in (*counts, found.executions)]
        cells += [f"${part:,.0f}" for part in (*parts, sum(parts))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
