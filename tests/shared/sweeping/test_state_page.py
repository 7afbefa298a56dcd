"""Pages of states: who has left, who is due to be forgotten, and who is out of scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.errors import AccessDenied, OutOfScope, PhotoSyncError, Refused, Throttled, UnknownUser
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.user_state import FAILED, LEFT, NO_PHOTO, SKIPPED, SYNCED, WAITING
from shared.sweeping import state_page
from shared.sweeping.snapshot import Part, Snapshot
from shared.sweeping.state_page import Progress, StateChecker, StatePage
from shared.sweeping.sweep_page import PageResult
from shared.user import User
from tests.shared.sweeping.sweeping_alone import NOON

MONTH = timedelta(days=30)
LONG_AGO, FUTURE = "2020-01-01T12:00:00+00:00", "2036-01-31T12:00:00+00:00"
GONE = UnknownUser("No such user.")


def entry(user_id: str, status: str, left_since: str = "") -> Entry:
    return Entry(user_id, f"{user_id}@contoso.com", "", status, "", "", "", "", "", left_since)


def user(user_id: str, **fields: Any) -> User:
    return User(
        user_id, f"{user_id}@contoso.com", **{"account_enabled": True, "is_guest": False} | fields
    )


OUT = user("a", account_enabled=False)


class Around:
    """Storage with one page of states, and a Graph whose answers are in `known`."""

    def __init__(self, *entries: Entry, **known: User | PhotoSyncError) -> None:
        self.entries = list(entries)
        self.known = known
        self.asked: list[str] = []
        # Of the excluded group.
        self.members: set[str] = set()

    def leaf(self, token: str, size: int) -> Leaf:
        return Leaf(self.entries, "more" if token == "first" else "")

    def users(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]:
        self.asked += user_ids
        return {each: self.known.get(each, GONE) for each in user_ids}

    def check(
        self, token: str = "", *, after: str = "", most: int = 100, forget: timedelta | None = MONTH
    ) -> StatePage:
        return self.checker(forget).check(token, Progress("", after, most, NOON), Snapshot())

    def checker(self, forget: timedelta | None = MONTH) -> StateChecker:
        def check_scope(user: User) -> None:
            if not user.account_enabled:
                raise OutOfScope("The account is disabled.")

        return StateChecker(
            self,
            self,
            self,
            check_scope=check_scope,
            forget_after=forget,
            clock=lambda: NOON,
            left_out=self.members.intersection,
        )

    def compare(
        self,
        entries: Sequence[Entry],
        found: Mapping[str, str | PhotoSyncError],
        *,
        since: datetime,
    ) -> PageResult:
        return PageResult(0, 0, 0, [(each, "compared") for each in found], [])


@pytest.mark.parametrize(
    ("known", "found", "why"),
    [
        *(
            (entry("a", each), GONE, "left")
            for each in (SYNCED, NO_PHOTO, SKIPPED, FAILED, WAITING, "")
        ),
        (entry("a", LEFT, LONG_AGO), GONE, ""),
        # Without a valid time the user would never be due: the worker records one.
        *((entry("a", LEFT, each), GONE, "left") for each in ("", "long ago", FUTURE)),
        (entry("a", LEFT), user("a"), "back"),
        *((entry("a", SYNCED), each, "") for each in (Throttled("x"), AccessDenied("x"))),
        (entry("a", SYNCED), Refused("Odd."), ""),
        *((entry("a", each), OUT, "out-of-scope") for each in (SYNCED, FAILED)),
        *((entry("a", each), OUT, "") for each in (SKIPPED, NO_PHOTO, WAITING)),
        *((entry("a", each), user("a"), "") for each in (SYNCED, FAILED)),
    ],
)
def test_moved(known: Entry, found: User | PhotoSyncError, why: str):
    """A state that Graph's answer contradicts is named with the reason; errors decide nothing."""
    assert Around(known, a=found).check().moved == ([("a", why)] if why else [])


def test_users_added_to_the_excluded_group():
    """They are found without a call of their own; an answer from Graph takes precedence."""
    statuses = {"a": SYNCED, "b": SYNCED, "c": FAILED, "d": SKIPPED, "e": SYNCED}
    around = Around(*(entry(each, status) for each, status in statuses.items()), a=user("a"))
    around.members = {"a", "b", "c", "d"}
    page = around.check(most=1)

    assert (page.asked, sorted(page.moved)) == (1, [("b", "out-of-scope"), ("c", "out-of-scope")])


@pytest.mark.parametrize(
    ("status", "since", "forget", "due"),
    [
        (LEFT, "2026-01-01T12:00:00+00:00", MONTH, True),
        (LEFT, "2026-01-01T12:00:01+00:00", MONTH, False),
        (LEFT, FUTURE, MONTH, False),
        (LEFT, LONG_AGO, None, False),
        (LEFT, "", MONTH, False),
        (LEFT, "long ago", MONTH, False),
        (WAITING, LONG_AGO, MONTH, False),
    ],
)
@pytest.mark.parametrize("most", [100, 0])
def test_due(status: str, since: str, forget: timedelta | None, due: bool, most: int):
    """A leaver is due after the set time, whether Graph may still be asked about users or not."""
    around = Around(entry("a", status, since))

    assert around.check(most=most, forget=forget).due == (["a"] if due else [])
    assert around.asked == ["a"][:most]


@pytest.mark.parametrize(
    ("after", "asked", "asked_to"), [("b", ["c", "d", "e"], "e"), ("k", [], "k")]
)
def test_rotation(after: str, asked: list[str], asked_to: str):
    """Graph is asked about so many users, in order, after the last one asked about."""
    around = Around(*(entry(each, SYNCED) for each in "abcdef"))
    page = around.check("first", after=after, most=3)

    assert around.asked == asked
    assert (page.asked, page.asked_to, page.next) == (len(asked), asked_to, "more")


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000000a"


def compared(
    *listed: str, found: Sequence[int], more: bool = False, listed_to: str = ""
) -> StatePage:
    """A page of these states, and Graph's answers about those users."""
    part = Part()
    part.add({uuid(number): "e" for number in found})
    around = Around(*(entry(each, SYNCED) for each in listed))
    return around.checker().check(
        "first" if more else "", Progress(listed_to, "", 0, NOON), Snapshot([part.to_bytes()])
    )


def numbers(page: StatePage) -> list[int]:
    return [int(user_id[:8], 16) for user_id, _ in page.compared.queue]


def test_users_of_a_page_are_compared():
    """Users without a state too: up to the last state of a page; on the last page, to the end."""
    listed = [uuid(number) for number in (2, 5)]

    assert numbers(compared(*listed, found=[1, 2, 3, 5, 6, 9], more=True)) == [1, 2, 3, 5]
    assert numbers(compared(*listed, found=[1, 2, 3, 5, 6, 9])) == [1, 2, 3, 5, 6, 9]
    assert numbers(compared(found=[7])) == [7]


@pytest.mark.parametrize(
    ("listed_to", "compared_ids", "end"), [("", [1, 2], 2), (2, [3, 5], 5)], ids=["first", "second"]
)
def test_page_with_many_users(
    monkeypatch: pytest.MonkeyPatch, listed_to: Any, compared_ids: list[int], end: int
):
    """A page with many users takes several calls; none is compared twice."""
    monkeypatch.setattr(state_page, "JUDGED_AT_ONCE", 2)
    after = uuid(listed_to) if listed_to else ""
    page = compared(*map(uuid, (2, 5)), found=[1, 2, 3, 5], listed_to=after, more=True)

    assert numbers(page) == compared_ids
    assert (page.listed_to, page.more) == (uuid(end), end == 2)


def test_blob_with_a_name_in_capitals():
    """It sorts elsewhere among the names: it is no user's, and does not bound the page."""
    page = compared(uuid(1), uuid(0xFFFFFFFF).upper(), found=[1, 5], more=True)
    alone = compared(uuid(0xFFFFFFFF).upper(), found=[5], more=True)

    assert (numbers(page), page.listed_to) == ([1], uuid(1))
    assert (numbers(alone), alone.listed_to, alone.next) == ([], "", "more")
