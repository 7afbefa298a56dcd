"""One page of users, compared with what is remembered of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import AccessDenied, NoPhoto, PhotoSyncError, ServiceDown, Throttled
from shared.storage.user_state import NO_PHOTO, SYNCED, WAITING, UserState
from shared.sweeping.sweep_page import PageLook, PageResult
from shared.sweeping.user_queue import UserQueue
from shared.user import User
from tests.machine.storage import Blobs, MemoryQueue, MemoryStates
from tests.machine.tenant import check_scope, users
from tests.shared.sweeping.sweeping_alone import MINUTE, NOON


class Photos:
    """Graph, as far as a page asks it."""

    def __init__(self, found: Mapping[str, str | PhotoSyncError]) -> None:
        self.found = found
        self.error: PhotoSyncError | None = None

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
        if self.error:
            raise self.error
        return {each: self.found[each] for each in user_ids}


ANNE, BERT, CARA, DORA = users(4)


def pages(photos: Photos, states: list[UserState], *, removes: bool = True) -> PageLook:
    store = MemoryStates(Blobs())
    for each in states:
        store.create(each)
    return PageLook(
        photos,
        store,
        check_scope=check_scope,
        sizes="s",
        recipe=1,
        dry_run=False,
        removes=removes,
        clock=lambda: NOON,
    )


def look(photos: Photos, states: list[UserState], *, removes: bool = True) -> PageResult:
    everybody = [ANNE, BERT, CARA, replace(DORA, account_enabled=False)]
    return pages(photos, states, removes=removes).look_at(everybody)


def state(user: User, **fields: Any) -> UserState:
    shown = {"status": SYNCED, "source_etag": "e1", "picture_url": "u", "sizes": "s", "recipe": 1}
    return UserState(user.id, **{**shown, **fields})


def test_page_counts_and_queues():
    """Who is in scope, whose picture is ours, who differs."""
    photos = Photos({ANNE.id: "e1", BERT.id: "e2", CARA.id: "e1"})
    found = look(photos, [state(ANNE), state(BERT)])

    assert found == PageResult(
        users=4, in_scope=3, managed=2, queue=[(BERT.id, "changed"), (CARA.id, "new")], gone=[]
    )


@pytest.mark.parametrize("removes", [True, False])
def test_gone_users_are_named_if_pictures_are_removed(removes: bool):
    """With REMOVED_PHOTO=keep nobody is gone."""
    since = NOON - 11 * MINUTE
    states = [state(ANNE, status=NO_PHOTO, source_etag="", missing_since=since)]
    none = NoPhoto("No photo.")
    found = look(Photos({ANNE.id: none, BERT.id: none, CARA.id: none}), states, removes=removes)

    assert found.gone == ([ANNE.id] if removes else [])
    assert found.queue == []


def test_source_that_is_down_decides_nothing():
    """An outage of the source ends the page before anybody is missed."""
    photos = Photos({})
    photos.error = Throttled("Slow down.")
    with pytest.raises(Throttled):
        look(photos, [state(ANNE)])


def test_somebody_named_twice_is_one():
    """Graph may list a user twice on a page, and refuses a batch that asks twice."""
    photos = Photos({ANNE.id: "e2"})
    found = pages(photos, [state(ANNE)]).look_at([ANNE, ANNE])

    assert (found.users, found.in_scope, found.queue) == (2, 1, [(ANNE.id, "changed")])


def test_error_of_one_user_is_that_users():
    """Whoever cannot be asked about is named with the error; the rest of the page is decided."""
    slow, odd = Throttled("Slow down."), AccessDenied("graph answered 403.")
    found = look(Photos({ANNE.id: slow, BERT.id: "e2", CARA.id: odd}), [state(ANNE), state(BERT)])

    assert [(one.user, one.error) for one in found.unanswered] == [(ANNE, slow)]
    assert found.errors == [slow, odd]
    assert found.queue == [(BERT.id, "changed"), (CARA.id, "new")]


def test_user_in_hand_is_not_written_over():
    """Where a message about a user waits already, its own state says why."""
    waiting = state(ANNE, status=WAITING, next_attempt_at=NOON + MINUTE)
    found = look(Photos({ANNE.id: Throttled("x"), BERT.id: "e1", CARA.id: "e1"}), [waiting])

    assert found.unanswered == []


def test_run_that_looked_meanwhile_knows_better():
    """Whom a run has looked at since Graph was asked keeps what that run wrote."""
    looked = state(ANNE, checked_at=NOON)
    found = look(Photos({ANNE.id: Throttled("x"), BERT.id: "e1", CARA.id: "e1"}), [looked])
    before = state(ANNE, checked_at=NOON - MINUTE)
    told = look(Photos({ANNE.id: Throttled("x"), BERT.id: "e1", CARA.id: "e1"}), [before])

    never = state(ANNE, checked_at=NOON.replace(year=9998))
    odd = look(Photos({ANNE.id: Throttled("x"), BERT.id: "e1", CARA.id: "e1"}), [never])

    assert (len(found.unanswered), len(told.unanswered), len(odd.unanswered)) == (0, 1, 1)


def test_one_message_a_user():
    """Each user gets a message with the reason and an id of its own."""
    queue = MemoryQueue(lambda: NOON)
    ids = iter("xyz")
    UserQueue(queue, clock=lambda: NOON, new_id=lambda: next(ids)).queue(
        [ANNE.id, BERT.id], reason="sweep"
    )
    messages = [json.loads(each.body) for each in queue.messages]

    assert sorted(each["userId"] for each in messages) == [ANNE.id, BERT.id]
    assert {each["reason"] for each in messages} == {"sweep"}
    assert sorted(each["correlationId"] for each in messages) == ["x", "y"]


def test_queue_that_is_down_is_told():
    """A user who could not be queued fails the page, which is then done again."""

    class Down:
        def send(self, text: str, *, delay_seconds: float) -> None:
            raise ServiceDown("Broken.")

    with pytest.raises(ServiceDown):
        UserQueue(Down(), clock=lambda: NOON, new_id=lambda: "x").queue([ANNE.id], reason="sweep")
