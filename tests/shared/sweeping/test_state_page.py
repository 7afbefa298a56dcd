"""Of all states: who has left, who is due to be forgotten, and who is out of scope."""

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
from shared.sweeping.state_page import Progress, StateLook, StatePage
from shared.sweeping.sweep_page import PageResult
from shared.user import User
from tests.shared.sweeping.sweeping_alone import NOON

MONTH = timedelta(days=30)
GONE = UnknownUser("No such user.")


def entry(user_id: str, status: str, left_since: str = "") -> Entry:
    return Entry(user_id, f"{user_id}@contoso.com", "", status, "", "", "", "", "", left_since)


def user(user_id: str, **fields: Any) -> User:
    return User(
        user_id, f"{user_id}@contoso.com", **{"account_enabled": True, "is_guest": False} | fields
    )


class Around:
    """Storage with one page of states, and a Graph that knows who is in `known`."""

    def __init__(self, *entries: Entry, **known: User | PhotoSyncError) -> None:
        self.entries = list(entries)
        self.known = known
        self.asked: list[str] = []
        # Of the group that leaves out.
        self.members: set[str] = set()

    def leaf(self, token: str, size: int) -> Leaf:
        return Leaf(self.entries, "more" if token == "first" else "")

    def users(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]:
        self.asked += user_ids
        return {each: self.known.get(each, GONE) for each in user_ids}

    def look(
        self, token: str = "", *, after: str = "", most: int = 100, forget: timedelta | None = MONTH
    ) -> StatePage:
        return self.looks(forget).look_at(token, Progress("", after, most, NOON), Snapshot())

    def looks(self, forget: timedelta | None = MONTH) -> StateLook:
        def check_scope(user: User) -> None:
            if not user.account_enabled:
                raise OutOfScope("The account is disabled.")

        return StateLook(
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


@pytest.mark.parametrize("status", [SYNCED, NO_PHOTO, SKIPPED, FAILED, WAITING, ""])
def test_leaver_without_a_notification(status: str):
    """Whom Graph does not know any more goes to the worker, whatever the state says."""
    assert Around(entry("a", status)).look().moved == [("a", "left")]


@pytest.mark.parametrize("found", [Throttled("Busy."), AccessDenied("No."), Refused("Odd.")])
def test_no_answer_is_no_leaving(found: PhotoSyncError):
    """Of whom Graph tells nothing nothing follows."""
    assert Around(entry("a", SYNCED), a=found).look().moved == []


def test_known_leaver_is_no_news():
    """Who stands under left already is not sent to the worker again."""
    assert Around(entry("a", LEFT, "2026-01-01T12:00:00+00:00")).look().moved == []


@pytest.mark.parametrize("since", ["", "long ago", "2036-01-31T12:00:00+00:00"])
def test_leaver_without_a_time(since: str):
    """Of whom nobody knows since when, or since a time to come, the worker writes a time down."""
    assert Around(entry("a", LEFT, since)).look().moved == [("a", "left")]


def test_leaver_who_is_back_and_not_listed():
    """Restored, and in no group that is listed: the state must not say left for ever."""
    assert Around(entry("a", LEFT), a=user("a")).look().moved == [("a", "back")]


@pytest.mark.parametrize(
    ("status", "moved"),
    [
        *((status, [("a", "out-of-scope")]) for status in (SYNCED, FAILED)),
        *((status, []) for status in (SKIPPED, NO_PHOTO, WAITING)),
    ],
)
def test_out_of_scope(status: str, moved: list[tuple[str, str]]):
    """Who is out of scope is not said to be looked after, nor to be a failure to mend."""
    around = Around(entry("a", status), a=user("a", account_enabled=False))

    assert around.look().moved == moved


def test_who_was_put_into_the_group_that_leaves_out():
    """They are found at once and not when their turn comes; whom Graph tells of it tells better."""
    statuses = {"a": SYNCED, "b": SYNCED, "c": FAILED, "d": SKIPPED, "e": SYNCED}
    around = Around(*(entry(each, status) for each, status in statuses.items()), a=user("a"))
    around.members = {"a", "b", "c", "d"}
    page = around.look(most=1)

    assert (page.asked, sorted(page.moved)) == (1, [("b", "out-of-scope"), ("c", "out-of-scope")])


def test_who_is_there_and_in_scope():
    """Everybody else is left to the pages of users."""
    assert (
        Around(entry("a", SYNCED), entry("b", FAILED), a=user("a"), b=user("b")).look().moved == []
    )


@pytest.mark.parametrize(
    ("since", "forget", "due"),
    [
        ("2026-01-01T12:00:00+00:00", MONTH, True),
        ("2026-01-01T12:00:01+00:00", MONTH, False),
        ("2027-01-01T12:00:00+00:00", MONTH, False),
        ("2025-01-01T12:00:00+00:00", None, False),
        ("", MONTH, False),
        ("long ago", MONTH, False),
    ],
)
def test_due(since: str, forget: timedelta | None, due: bool):
    """A leaver's time has come when it is over, and nobody's where the settings say never."""
    assert Around(entry("a", LEFT, since)).look(forget=forget).due == (["a"] if due else [])


def test_only_leavers_are_due():
    """Whose state says anything else by now has a run under way, or is back."""
    assert Around(entry("a", WAITING, "2020-01-01T12:00:00+00:00")).look().due == []


def test_due_without_a_turn():
    """Who is due is told of every page, whether Graph is asked about anybody or not."""
    around = Around(entry("a", LEFT, "2020-01-01T12:00:00+00:00"))

    assert around.look(most=0).due == ["a"]
    assert around.asked == []


def test_turn():
    """So many are asked about, in their order, beginning behind the last one."""
    around = Around(*(entry(each, SYNCED) for each in "abcdef"))
    page = around.look("first", after="b", most=3)

    assert around.asked == ["c", "d", "e"]
    assert (page.asked, page.asked_to, page.next) == (3, "e", "more")


def test_page_before_the_turn():
    """Pages before the last one who had a turn are passed over, and the place is kept."""
    around = Around(*(entry(each, SYNCED) for each in "abc"))
    page = around.look(after="k")

    assert around.asked == []
    assert (page.asked, page.asked_to) == (0, "k")


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000000a"


def compared(
    *listed: str, found: Sequence[int], more: bool = False, listed_to: str = ""
) -> StatePage:
    """A page of these states, and Graph's answers about those users."""
    part = Part()
    part.add({uuid(number): "e" for number in found})
    around = Around(*(entry(each, SYNCED) for each in listed))
    return around.looks().look_at(
        "first" if more else "", Progress(listed_to, "", 0, NOON), Snapshot([part.to_bytes()])
    )


def numbers(page: StatePage) -> list[int]:
    return [int(user_id[:8], 16) for user_id, _ in page.compared.queue]


def test_page_is_compared_as_far_as_it_goes():
    """Also with those who have no state: up to the last one of a page, on the last one with all."""
    listed = [uuid(number) for number in (2, 5)]

    assert numbers(compared(*listed, found=[1, 2, 3, 5, 6, 9], more=True)) == [1, 2, 3, 5]
    assert numbers(compared(*listed, found=[1, 2, 3, 5, 6, 9])) == [1, 2, 3, 5, 6, 9]
    assert numbers(compared(found=[7])) == [7]


def test_page_that_was_begun():
    """Whoever was compared is not again, nor asked about or forgotten a second time."""
    page = compared(*map(uuid, (2, 5)), found=[1, 2, 3, 5], listed_to=uuid(2), more=True)

    assert numbers(page) == [3, 5]
    assert (page.listed_to, page.more) == (uuid(5), False)


def test_no_more_than_so_many_at_once(monkeypatch: pytest.MonkeyPatch):
    """Of a page with many users some are left to the next look at it."""
    monkeypatch.setattr(state_page, "JUDGED_AT_ONCE", 2)
    page = compared(*map(uuid, (2, 5)), found=[1, 2, 3, 5], more=True)

    assert (numbers(page), page.listed_to, page.more) == ([1, 2], uuid(2), True)


def test_blob_of_a_name_that_nobody_gave():
    """In capitals it lies elsewhere in the order of names: it bounds nothing, and is nobody's."""
    page = compared(uuid(1), uuid(0xFFFFFFFF).upper(), found=[1, 5], more=True)
    alone = compared(uuid(0xFFFFFFFF).upper(), found=[5], more=True)

    assert (numbers(page), page.listed_to) == ([1], uuid(1))
    assert (numbers(alone), alone.listed_to, alone.next) == ([], "", "more")
