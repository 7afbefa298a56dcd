"""
`python -m tools.cost`: the calls and costs of a month, for four sizes of tenant.

`make bench ONLY=calls` and `ONLY=sweep` count the calls; frequencies and Azure's prices are
assumptions, listed here, to be replaced by your own.

Azure bills an instance's memory while it executes anything (functions.md, documented), so runs that
overlap on one instance are billed once. The overlap is estimated from random arrivals within
working hours. The cost without any overlap is shown beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from shared.graph.batch import LIMIT
from shared.graph.user_listing import PAGE
from shared.sweeping.state_page import STATES_A_PAGE
from shared.sweeping.stretch import PAGES_A_RUN
from shared.sweeping.sweep_log import FEWEST_ASKED, ONE_ASKED_IN
from tools.tables import REPO

TENANTS = (1_000, 10_000, 100_000, 1_000_000)
# Assumed events in a month of thirty days; those about users are per user.
NOTIFICATIONS, PHOTO_CHANGES = 10, 1 / 12
SWEEPS, RENEWALS = 720, 60
# All users once in AUDIT_DAYS, a hundred a page.
AUDITS, AUDITED_A_PAGE = 30 / 7, 100
# Seconds per run, billed at least as the first one. For a page, tools.capacity computes
# 3.2 of Graph's answers; an audit's page has thirteen times two answers in sequence. The rest is
# storage, which lists the states of five such pages in one call.
SHORTEST_PAID = 1
SECONDS_TO_LOOK, SECONDS_TO_COPY, SECONDS_A_PAGE, SECONDS_AN_AUDIT_PAGE = 1, 3, 5, 8
INSTANCE_GB = 2
SECONDS_A_MONTH = 30 * 24 * 3600
# Working hours, when changes happen: eight hours on 22 days.
WORKING_SECONDS = 22 * 8 * 3600
# An instance is assumed to poll its queue all month, as often as host.json says.
_HOST = json.loads((REPO / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
RUNS_AT_ONCE: int = _HOST["batchSize"] + _HOST["newBatchThreshold"]
_HOURS, _MINUTES, _SECONDS = map(float, _HOST["maxPollingInterval"].split(":"))
POLLS = SECONDS_A_MONTH / (_HOURS * 3600 + _MINUTES * 60 + _SECONDS)
# KB that one execution logs to Application Insights.
LOGGED_KB = 2

# List prices in US dollars of one American region, as far as known; check the pricing pages.
PER_MILLION_EXECUTIONS = 0.40
PER_GB_SECOND, PER_GB_SECOND_READY = 0.000026, 0.000004
PER_10_000_READS, PER_10_000_WRITES = 0.004, 0.05
PER_10_000_QUEUE_CALLS = 0.004
PER_GB_LOGGED = 2.76

# Optional resources of infra/: prices per hour or month, and per GB of traffic.
PER_GATEWAY_HOUR, PER_ADDRESS_HOUR, PER_ENDPOINT_HOUR = 0.045, 0.005, 0.01
PER_ZONE, ENDPOINTS = 0.50, 2
PER_GB_THROUGH_GATEWAY, PER_GB_THROUGH_ENDPOINT, PER_GB_KEPT = 0.045, 0.01, 0.018
# KB of a call to Graph or SharePoint, of a photo with its renditions, of a call to storage, of its
# log line, and of an overwritten blob.
CALL_KB, PHOTO_KB, STORAGE_CALL_KB, LOGGED_CALL_KB, STATE_KB = 5, 300, 2, 1, 2
# As deployed by infra/.
KEEP_DELETED_DAYS = 7
# With zones, each group of functions has two always-ready instances: all HTTP functions are one
# group; each queue and each timer is another (functions.md section Deployment).
SCALED_APART, READY_IN_ZONES = 6, 2
HOURS_A_MONTH = 30 * 24


@dataclass(frozen=True)
class Month:
    """A month of PhotoSync, in calls unless the name says otherwise."""

    users: int
    graph: int
    sharepoint: int
    blob_reads: int
    blob_writes: int
    queue: int
    polls: int
    executions: int
    gb_seconds: int
    gb_seconds_unshared: int

    def dollars(self) -> Iterator[float]:
        """Instances (one always ready), storage and logs."""
        yield (
            self.executions / 1e6 * PER_MILLION_EXECUTIONS
            + self.gb_seconds * PER_GB_SECOND
            + SECONDS_A_MONTH * INSTANCE_GB * PER_GB_SECOND_READY
        )
        yield (
            self.blob_reads / 1e4 * PER_10_000_READS
            + self.blob_writes / 1e4 * PER_10_000_WRITES
            + (self.queue + self.polls) / 1e4 * PER_10_000_QUEUE_CALLS
        )
        yield self.executions * LOGGED_KB / 1e6 * PER_GB_LOGGED

    def most_dollars(self) -> float:
        """The total if no two runs shared an instance."""
        more = self.gb_seconds_unshared - self.gb_seconds
        return sum(self.dollars()) + more * PER_GB_SECOND


def paid_seconds(runs: float, seconds: float, within: float) -> float:
    """
    How long instances execute if this many *runs* arrive at random *within* a period.

    Runs that overlap on one instance are billed together; there are no more instances than the
    concurrent runs need.
    """
    at_work = runs * max(seconds, SHORTEST_PAID) / within
    return within * (1 - math.exp(-at_work)) * max(1.0, runs * seconds / within / RUNS_AT_ONCE)


def instance_seconds(users: int, *, sweeps: int = SWEEPS) -> dict[str, float]:
    """How long instances execute in a month, by function group; each has its own instances."""
    looks, copies = users * NOTIFICATIONS, round(users * PHOTO_CHANGES)
    each = (looks * SECONDS_TO_LOOK + copies * SECONDS_TO_COPY) / (looks + copies)
    return {
        "webhook": paid_seconds(looks, SHORTEST_PAID, WORKING_SECONDS),
        "checks and copies": paid_seconds(looks + copies, each, WORKING_SECONDS),
        # Chains run one page after the other.
        "sweeps": math.ceil(users / PAGE) * sweeps * SECONDS_A_PAGE,
        "audits": math.ceil(users * AUDITS / AUDITED_A_PAGE) * SECONDS_AN_AUDIT_PAGE,
    }


def dollars_by_part(users: int) -> dict[str, float]:
    """A month's cost in dollars by purpose, including queue polling."""
    found = month(users)
    _, storage, logs = found.dollars()
    seconds = instance_seconds(users)
    polling = found.polls / 1e4 * PER_10_000_QUEUE_CALLS
    return {
        "always ready": SECONDS_A_MONTH * INSTANCE_GB * PER_GB_SECOND_READY,
        **{what: INSTANCE_GB * part * PER_GB_SECOND for what, part in seconds.items()},
        "executions": found.executions / 1e6 * PER_MILLION_EXECUTIONS,
        "storage": storage - polling,
        "polling": polling,
        "logs": logs,
    }


def dollars_of_choices(users: int) -> dict[str, float]:
    """The extra monthly cost of the optional resources of infra/."""
    found = month(users)
    storage_calls = found.blob_reads + found.blob_writes + found.queue + found.polls
    outside_kb = (found.graph + found.sharepoint) * CALL_KB + users * PHOTO_CHANGES * PHOTO_KB
    endpoints = (
        HOURS_A_MONTH * ENDPOINTS * PER_ENDPOINT_HOUR
        + storage_calls * STORAGE_CALL_KB / 1e6 * PER_GB_THROUGH_ENDPOINT
    )
    gateway = (
        HOURS_A_MONTH * (PER_GATEWAY_HOUR + PER_ADDRESS_HOUR)
        + outside_kb / 1e6 * PER_GB_THROUGH_GATEWAY
    )
    # For queues only puts and deletes: polling is a read and is not logged.
    logged_calls = found.blob_reads + found.blob_writes + found.queue * 2 / 3
    logged_kb = logged_calls * LOGGED_CALL_KB + found.executions * LOGGED_KB
    kept_gb = found.blob_writes * STATE_KB / 1e6 * KEEP_DELETED_DAYS / 30
    more_ready = SCALED_APART * READY_IN_ZONES - 1
    return {
        "new private network": endpoints + gateway + ENDPOINTS * PER_ZONE,
        "in your own network": endpoints,
        "zone redundancy": more_ready * SECONDS_A_MONTH * INSTANCE_GB * PER_GB_SECOND_READY,
        "diagnostic logs": logged_kb / 1e6 * PER_GB_LOGGED,
        "soft delete and versions": kept_gb * PER_GB_KEPT,
    }


def month(users: int, *, sweeps: int = SWEEPS) -> Month:
    """The month of a tenant with this many users."""
    looks, copies = users * NOTIFICATIONS, round(users * PHOTO_CHANGES)
    pages = math.ceil(users / PAGE) * sweeps
    # States include leavers, whom Graph does not list.
    state_pages = math.ceil(users / STATES_A_PAGE) * sweeps
    asked = min(users, max(FEWEST_ASKED, users // ONE_ASKED_IN))
    batches = (math.ceil(users / LIMIT) + math.ceil(asked / LIMIT)) * sweeps
    audit_pages = math.ceil(users * AUDITS / AUDITED_A_PAGE)
    # Each run over users writes a part of the snapshot, and reads and writes the log.
    parts = math.ceil(users / PAGE / PAGES_A_RUN) * sweeps
    stretches = parts + math.ceil(users / STATES_A_PAGE / PAGES_A_RUN) * sweeps
    runs = looks + copies + stretches + audit_pages + sweeps + RENEWALS
    seconds = instance_seconds(users, sweeps=sweeps)
    # A chain never overlaps with itself.
    alone = looks * (SHORTEST_PAID + SECONDS_TO_LOOK) + copies * SECONDS_TO_COPY
    unshared = alone + seconds["sweeps"] + seconds["audits"]
    return Month(
        users=users,
        graph=looks + 3 * copies + pages + batches + RENEWALS,
        sharepoint=5 * copies + round(4 * users * AUDITS),
        blob_reads=looks + copies + round(users * AUDITS) + 2 * (stretches + audit_pages) + parts,
        # Listing costs the same as writing.
        blob_writes=2 * (copies + sweeps + audit_pages) + stretches + parts + state_pages,
        # Put, get and delete.
        queue=3 * runs,
        polls=round(POLLS),
        # Each notification is assumed to arrive in its own POST.
        executions=runs + looks,
        gb_seconds=round(INSTANCE_GB * sum(seconds.values())),
        gb_seconds_unshared=round(INSTANCE_GB * unshared),
    )


def table() -> str:
    """A Markdown table with a row per size."""
    lines = [
        "| Users | Graph calls | SharePoint calls | blob reads | blob writes | executions "
        "| instances | storage | logs | total | at most |",
        "|" + "---:|" * 11,
    ]
    for users in TENANTS:
        found = month(users)
        counts = (users, found.graph, found.sharepoint, found.blob_reads, found.blob_writes)
        parts = list(found.dollars())
        cells = [f"{count:,}" for count in (*counts, found.executions)]
        cells += [f"${part:,.0f}" for part in (*parts, sum(parts), found.most_dollars())]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table_of_choices() -> str:
    """A Markdown table of what each option adds, with a row per size."""
    heads = ["Users", *dollars_of_choices(TENANTS[0])]
    lines = [f"| {' | '.join(heads)} |", "|" + "---:|" * len(heads)]
    for users in TENANTS:
        cells = [f"{users:,}", *(f"${each:,.2f}" for each in dollars_of_choices(users).values())]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(f"{table()}\n\n{table_of_choices()}")
