"""The log of orders, newest first: for one user, since a time, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.console.history import FILES_A_PAGE, History, HistoryPage
from shared.errors import BadRequest, ServiceDown
from shared.orders.order import AUDIT, BEGUN, REPAIR, REPLAY, SWEEP, UNINSTALL, Entry, Order
from shared.orders.order_log import OrderLog
from shared.signature import KEY, Signature
from shared.uninstalling.uninstall_log import UninstallLog, UninstallLogs
from tests.doubles.memory_lines import MemoryLines
from tests.doubles.office import ANNE, NOON, Clock
from tests.shared.console.console_desk import Desk

UPN = ANNE.user_principal_name
BOB = "0c000000-0000-4000-8000-000000000002"


def anybody(entry: Entry) -> bool:
    return True


def give(log: OrderLog, id_: str, user_id: str = ANNE.id, upn: str = UPN) -> None:
    log.give(Order(REPLAY, Signature(KEY), id_, user_id, upn))


def ids(entries: list[Entry]) -> list[str]:
    return [entry.order.id for entry in entries]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> OrderLog:
    """Orders 0 to 9: two per file, one file per month."""
    log = OrderLog(MemoryLines(), clock=clock)
    for number in range(10):
        give(log, str(number))
        if number % 2:
            clock.advance(timedelta(days=31))
    return log


def test_all_pages(log: OrderLog):
    """All orders, newest first, whatever the page size; an order given meanwhile moves none."""
    history, token, found = History(log), "", []
    for size in (1, 3, 1, 9, 9):
        page = history.page(anybody, token=token, size=size)
        found += ids(page.entries)
        give(log, "new")
        token = page.token
        if not token:
            break

    assert found == [str(number) for number in reversed(range(10))]


def test_files_of_a_page(log: OrderLog):
    """A search that finds nothing stops after some files, with a token to continue."""

    def page(token: str) -> HistoryPage:
        return History(log).page(lambda entry: entry.order.id == "0", token=token)

    first = page("")
    assert (first.entries, first.token != "") == ([], True)
    assert FILES_A_PAGE < 5
    assert ids(page(first.token).entries) == ["0"]


def test_since(log: OrderLog):
    """Nothing older than that, to the second."""
    page = History(log).page(anybody, since=NOON + timedelta(days=93))

    assert (ids(page.entries), page.token) == (["9", "8", "7", "6"], "")
    long_ago = NOON.replace(year=999)
    assert len(History(log).page(anybody, since=long_ago).entries) == 8


@pytest.mark.parametrize(
    "token", ["x", "é", "WzEsMl0=", "WyIyMDI2LTAxIiwtMV0=", "WyIuLi94IiwxXQ=="]
)
def test_foreign_token(log: OrderLog, token: str):
    """A token that no page returned is refused."""
    with pytest.raises(BadRequest, match="token"):
        History(log).page(anybody, token=token)


def test_of_one_user(desk: Desk):
    """By object id or UPN; also orders given by UPN alone while Graph was down."""
    log = OrderLog(desk.lines, clock=desk.clock)
    give(log, "by-id", BOB)
    give(log, "annes", ANNE.id, "")
    give(log, "by-upn", "", UPN.upper())

    def found(user: str) -> list[str]:
        return [one["correlationId"] for one in desk.console.history({"user": user})["orders"]]

    assert found(BOB.upper()) == ["by-id"]
    assert found(UPN) == ["by-upn", "annes"]
    assert found(ANNE.id) == ["annes"]
    named = {"userId": ANNE.id, "userPrincipalName": UPN, "displayName": ANNE.display_name}
    assert desk.console.history({"user": UPN})["user"] == named
    desk.exchange.error = ServiceDown("Down.")
    assert found(UPN) == ["by-upn", "by-id"]
    assert desk.console.history({"user": UPN})["user"] is None


@pytest.mark.parametrize("query", [{"since": "soon"}, {"user": " "}, {"token": "x"}])
def test_bad_query(desk: Desk, query: dict[str, str]):
    """A bad query is refused with a reason."""
    with pytest.raises(BadRequest):
        desk.console.history(query)


def begun(desk: Desk, kind: str) -> dict[str, str]:
    """The history's lines, all equal, of two orders that began the same piece of work."""
    log = OrderLog(desk.lines, clock=desk.clock)
    for id_ in ("c-1", "c-2"):
        order = Order(kind, Signature(KEY), id_)
        log.end(order, log.give(order), BEGUN, "one")
    lines = [{**line, "correlationId": ""} for line in desk.console.history({})["orders"]]
    assert lines == [lines[0]] * 2
    return lines[0]


START, END = NOON.isoformat(), (NOON + timedelta(hours=1)).isoformat(timespec="seconds")


@pytest.mark.parametrize("kind", [SWEEP, AUDIT, REPAIR, UNINSTALL])
def test_end_of_the_work_that_an_order_began(desk: Desk, kind: str):
    """The history shows how a sweep, an audit or an uninstall ended, not only that it began."""
    ended: dict[str, Any] = {"status": "failed", "detail": "No role.", "finished_at": END}
    desk.log_sweep(**ended)
    AuditLogs(desk.documents).begin(AuditLog("one", START, START, **ended), None)
    uninstall = UninstallLog("one", False, START, START, START, **ended)
    UninstallLogs(desk.documents).write(uninstall, after=None)
    line = begun(desk, kind)

    assert (line["result"], line["detail"], line["endedAt"]) == ("failed", "one: No role.", END)


@pytest.mark.parametrize("finished_at", ["", "soon", None])
@pytest.mark.parametrize("kind", [SWEEP, UNINSTALL, REPLAY])
def test_work_without_a_known_end(desk: Desk, kind: str, finished_at: str | None):
    """While the work runs, or if its record is damaged or missing, the order stays begun."""
    if finished_at is not None:
        desk.log_sweep(finished_at=finished_at)
    line = begun(desk, kind)

    assert (line["result"], line["detail"], line["endedAt"]) == ("begun", "one", START)
