"""The number of calls that each case costs; exact, so tests assert it too."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.ledger import (
    BLOB,
    BUDGET,
    DIGEST,
    FILES,
    GRAPH,
    HOST,
    LENGTH,
    LOGIN,
    ORDER,
    PROFILES,
    QUEUE,
    UNKNOWN,
    UPLOADS,
    Mark,
)
from local.bench.measuring.rows import Row
from local.bench.measuring.settled_tenant import SettledTenant, SettledUser
from local.bench.sweep.sweep import fewest_graph_calls
from local.cloud.stack import Stack
from local.outside.console_client import ConsoleClient
from local.outside.tenant_client import TenantClient
from local.soak.pictures import pictures

USERS, CHANGED = 1_000, 50
# The calls of the app itself, and those of unknown clients.
KINDS = (GRAPH, UPLOADS, FILES, PROFILES, DIGEST, LOGIN, BLOB, QUEUE, LENGTH, ORDER, UNKNOWN)
_NEWCOMERS = 2
_A_PAGE = 100
_NO_OTHERS = dict.fromkeys(KINDS, 0)
_COPY = {GRAPH: 3, UPLOADS: 3, PROFILES: 2}


class Unexpected(RuntimeError):
    """A run did not end as its case requires."""


@dataclass
class Case:
    """What was done, its calls, and the maximum that performance.md allows of each kind."""

    what: str
    goals: Mapping[str, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    remark: str = ""

    def count(self, tenant: SettledTenant, mark: Mark, user_id: str = "") -> None:
        """Add the calls since *mark*."""
        self.calls += tenant.ledger.since(mark, user_id=user_id)

    def __str__(self) -> str:
        return " + ".join(f"{self.calls[kind]:,} {kind}" for kind in KINDS if self.calls[kind])


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Every case once: a count has no noise."""
    # So that an audit of all users need not wait; its cost is the same.
    settings = {**SETTINGS, "AUDIT_SHARE": "1"}
    with Stack(folder, settings=settings, log_storage=True) as stack:
        tenant = SettledTenant(stack, pictures(12))
        return rows_of(list(cases(tenant, USERS, CHANGED, say)))


def rows_of(found: Sequence[Case]) -> list[Row]:
    """The rows of the table."""
    budget, unknown = (sum(case.calls[kind] for case in found) for kind in (BUDGET, UNKNOWN))
    return [
        *(row for case in found for row in _of_case(case)),
        Row(
            "all cases: calls of the budget",
            budget,
            note="blob calls by which instances share the profile calls, in no row above",
        ),
        Row(
            "all cases: calls of unknown kinds",
            unknown,
            goal=0,
            note="without the app's token, or to storage and known neither of the app nor the host",
        ),
    ]


def _of_case(case: Case) -> Iterator[Row]:
    """One row for all calls of the app; with goals, one for each kind, including the host's."""
    if not case.goals:
        note = "; ".join(filter(None, [str(case), case.remark]))
        yield Row(case.what, sum(case.calls[kind] for kind in KINDS), note=note)
        return
    # An audit makes no calls to Graph, as its goal says.
    if not all(case.calls[kind] for kind in (GRAPH, BLOB) if case.goals.get(kind, 1)):
        raise Unexpected(f"{case.what}: no call to Graph or no blob call was counted.")
    for kind in (*KINDS, HOST):
        figure, goal = case.calls[kind], case.goals.get(kind)
        if figure or goal:
            note = case.remark if kind == BLOB else ""
            yield Row(f"{case.what}: {kind}", figure, goal=goal, note=note)


def cases(
    tenant: SettledTenant, users: int, changed: int, say: Callable[[str], None]
) -> Iterator[Case]:
    """All cases, in a tenant that has *users* users in the end."""
    tenant.ask("renew")
    tenant.add_users(users - _NEWCOMERS)
    say(f"{users:,} users that PhotoSync knows, {changed} of which will have changed")
    # The first copy of a process looks up the picture folder and logs in.
    _first_photo(tenant)
    yield from _of_one_user(tenant)
    yield _removal(tenant, tenant.users[3])
    yield _renewal(tenant)
    say("the cases about one user are counted")
    yield _sweep(tenant, [])
    yield _sweep(tenant, tenant.users[10 : 10 + changed])
    yield _audit(tenant)


def _of_one_user(tenant: SettledTenant) -> Iterator[Case]:
    one, two, three, _, five, six = tenant.users[:6]
    watcher, forced = tenant.watcher, json.dumps({"userId": six.id, "force": True})
    notification = Case("notification about something else", {**_NO_OTHERS, GRAPH: 1, BLOB: 1})
    changed = Case("changed photo of a known user", {**_NO_OTHERS, **_COPY, BLOB: 3})
    same = Case("the same picture uploaded again")
    replay, force = Case("replay of a user who is right"), Case("replay with force")
    with _counted(tenant, notification, one.id, "unchanged"):
        tenant.admin.change_user(one.id, {"jobTitle": "Head of Research"})
    with _counted(tenant, changed, two.id, "synced"):
        tenant.change(two, notify=True)
    with _counted(tenant, same, three.id, "unchanged"):
        tenant.put(three.id, tenant.photos[three.photo], notify=True)
    with _counted(tenant, replay, five.id, "unchanged"):
        watcher.type_into_queue(five.id)
    with _counted(tenant, force, six.id, "synced"):
        watcher.type_into_queue(forced)
    yield from (notification, changed, _first_photo(tenant), same, replay, force)


def _first_photo(tenant: SettledTenant) -> Case:
    remark = "the first one in a process also looks up the picture folder"
    case = Case("first photo of a user", {**_NO_OTHERS, **_COPY, BLOB: 4}, remark=remark)
    upn = f"newcomer{len(tenant.users)}@contoso.com"
    (id_,) = tenant.admin.control("POST", "/users", {"userPrincipalName": upn})["ids"]
    tenant.users.append(SettledUser(id_, upn, 0))
    with _counted(tenant, case, id_, "synced"):
        tenant.put(id_, tenant.photos[0], notify=True)
    return case


def _removal(tenant: SettledTenant, user: SettledUser) -> Case:
    """One check misses the photo; another ten minutes later, by a sweep, removes the picture."""
    remark = "the message of the second look belongs to the sweep and is counted there"
    case = Case("removal, both looks", {UNKNOWN: 0, PROFILES: 2}, remark=remark)
    with _counted(tenant, case, user.id, "no-photo"):
        tenant.put(user.id, None, notify=True)
    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    tenant.watcher.skip_time(user.id, missingSince=long_ago)
    # A sweep has its own cost; here only its calls about this user count.
    with _counted(tenant, case, user.id, "removed", of_all=False):
        tenant.watcher.type_into_queue("sweep", "photo-upkeep")
    return case


@contextmanager
def _counted(
    tenant: SettledTenant, case: Case, user_id: str, event: str, *, of_all: bool = True
) -> Iterator[None]:
    """Add to *case* the calls of the block, which must cause one run that ends as *event*."""

    def events() -> list[str]:
        return [run["event"] for run in tenant.watcher.outcomes() if run["user"] == user_id]

    before, mark = len(events()), tenant.ledger.mark()
    yield
    tenant.watcher.until(lambda: [] if len(events()) > before else [user_id])
    if events()[before:] != [event]:
        raise Unexpected(f"{case.what}: expected one run, {event}, but got {events()[before:]}.")
    case.count(tenant, mark, "" if of_all else user_id)


def _renewal(tenant: SettledTenant) -> Case:
    """The timer fires while the subscription has one day left."""
    at = tenant.at
    app = TenantClient(at, at.app_client_id, Path(at.app_certificate))
    (subscription,) = tenant.admin.control("GET", "/subscriptions")["subscriptions"]
    app.move_expiry(subscription["id"], datetime.now(UTC) + timedelta(days=1))
    mark = tenant.ledger.mark()
    tenant.ask("renew")
    case = Case("subscription renewal")
    case.count(tenant, mark)
    if not any(entry["method"] == "PATCH" for entry in tenant.ledger.journal(mark)):
        raise Unexpected(f"{case.what}: nothing was renewed.")
    return case


def _sweep(tenant: SettledTenant, changed: list[SettledUser]) -> Case:
    """A sweep, and the copies that it queues."""
    for user in changed:
        tenant.change(user, notify=False)
    mark = tenant.ledger.mark()
    tenant.ask("sweep")
    users = len(tenant.users)
    goals = {UNKNOWN: 0, **{kind: most * len(changed) for kind, most in _COPY.items()}}
    goals[GRAPH] += fewest_graph_calls(users)
    case = Case(f"sweep of {users:,} users, {len(changed)} changed", goals)
    case.count(tenant, mark)
    return case


def _audit(tenant: SettledTenant) -> Case:
    """A check of every user's picture in SharePoint, none of which is damaged."""
    # One user's picture was removed.
    mark, shown = tenant.ledger.mark(), len(tenant.users) - 1
    ConsoleClient(tenant.at).order("audit")
    tenant.quiet()
    found = tenant.watcher.audit()
    if (found["looked"], found["differ"], found["unclear"]) != (shown, 0, 0):
        raise Unexpected(f"Every picture should be right, but the audit reports {found}.")
    # One read of each state. For each page, the list and the log, read and written. At the start
    # the pointer, read and written, the count, and the first write of the log.
    blobs = len(tenant.users) + 3 * math.ceil(len(tenant.users) / _A_PAGE) + 4
    goals = {**_NO_OTHERS, FILES: 3 * shown, PROFILES: shown, BLOB: blobs, QUEUE: found["page"]}
    goals[ORDER] = 2
    case = Case(f"audit of {shown:,} pictures, none damaged", goals)
    case.count(tenant, mark)
    a_user = sum(case.calls[kind] for kind in KINDS) / shown
    hourly = a_user * 100_000 / (7 * 24)
    case.remark = f"{a_user:.2f} calls a user; 100,000 in a week are {hourly:,.0f} an hour"
    return case
