"""Users on a page of Graph's list, and their comparison with the stored states."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import (
    AccessDenied,
    Conflict,
    NoMailbox,
    NoPhoto,
    PhotoSyncError,
    PictureKept,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.storage import cover
from shared.storage.user_state import (
    FAILED,
    LEFT,
    NO_PHOTO,
    SKIPPED,
    SYNCED,
    WAITING,
    Claim,
    Stored,
    UserState,
)
from shared.sweeping.snapshot import Part, Snapshot
from shared.sweeping.sweep_page import PageChecker, PageResult
from shared.sweeping.user_queue import UserQueue
from shared.user import User
from tests.doubles.office import failing
from tests.machine.storage import Blobs, MemoryQueue, MemoryStates
from tests.machine.tenant import check_scope, users
from tests.shared.sweeping.sweeping_alone import MINUTE, NOON


class Photos:
    """Graph's answers about photos."""

    def __init__(self, found: Mapping[str, str | PhotoSyncError]) -> None:
        self.found = found
        self.error: PhotoSyncError | None = None

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
        if self.error:
            raise self.error
        return {each: self.found[each] for each in user_ids}


ANNE, BERT, CARA, DORA = users(4)


class CountedStates(MemoryStates):
    """A store that records which states are read."""

    def __init__(self, states: list[UserState]) -> None:
        super().__init__(Blobs())
        self.reads: list[str] = []
        for each in states:
            self.create(each)

    def read(self, user_id: str) -> Stored | None:
        self.reads.append(user_id)
        return super().read(user_id)


def pages(photos: Photos, store: MemoryStates, *, removes: bool = True) -> PageChecker:
    return PageChecker(
        photos,
        store,
        check_scope=check_scope,
        sizes="s",
        recipe=1,
        dry_run=False,
        removes=removes,
        clock=lambda: NOON,
    )


def check(photos: Photos, states: list[UserState]) -> PageResult:
    everybody = [ANNE, BERT, CARA, replace(DORA, account_enabled=False)]
    return pages(photos, CountedStates(states)).check(everybody)


def compare(
    found: Mapping[str, str | PhotoSyncError], store: MemoryStates, *, removes: bool = True
) -> PageResult:
    """The comparison with what was *found*, as a snapshot returns it."""
    part = Part()
    part.add(found)
    answers = Snapshot([part.to_bytes()]).between("", "", 99).answers
    checker = pages(Photos({}), store, removes=removes)
    return checker.compare(store.leaf("", 99).entries, answers, since=NOON)


def state(user: User, **fields: Any) -> UserState:
    shown = {"status": SYNCED, "source_etag": "e1", "picture_url": "u", "sizes": "s", "recipe": 1}
    return UserState(user.id, **{**shown, **fields})


def test_answers_of_a_page():
    """Users in scope are counted once, and Graph's answers kept; no state is read yet."""
    photos = Photos({ANNE.id: "e1", BERT.id: "e2", CARA.id: NoPhoto("x")})
    store = CountedStates([state(ANNE), state(BERT)])
    listed = [ANNE, BERT, CARA, replace(DORA, account_enabled=False), ANNE]
    found = pages(photos, store).check(listed)

    assert (found.users, found.in_scope, found.queue, store.reads) == (5, 3, [], [])
    assert found.found == photos.found

    photos.error = Throttled("Slow down.")
    with pytest.raises(Throttled):
        pages(photos, store).check(listed)


def test_only_states_that_differ_are_read():
    """The listing is enough for everyone else; managed pictures and new users are found."""
    store = CountedStates([state(ANNE), state(BERT)])
    found = compare({ANNE.id: "e1", BERT.id: "e2", CARA.id: "e1"}, store)

    assert found.queue == [(BERT.id, "changed"), (CARA.id, "new")]
    assert (found.managed, found.gone) == (2, [])
    assert store.reads == [BERT.id]


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (state(ANNE), "e1"),
        (state(ANNE, status=NO_PHOTO, source_etag="", picture_url=""), NoPhoto("x")),
        (UserState(ANNE.id, status=SKIPPED, reason=NoMailbox.code), NoMailbox("x")),
        (UserState(ANNE.id, status=LEFT, reason=UnknownUser.code), UnknownUser("x")),
        (
            state(ANNE, status=SKIPPED, reason=PictureKept.code, checked_at=NOON - MINUTE),
            "e1",
        ),
        (
            UserState(ANNE.id, status=FAILED, reason=Refused.code, checked_at=NOON - MINUTE),
            Refused("x"),
        ),
    ],
    ids=lambda each: getattr(each, "status", str(each)),
)
def test_unchanged_state_is_not_read(known: UserState, found: str | PhotoSyncError):
    """That includes users without a photo, and failures that are checked once a day."""
    store = CountedStates([known])

    assert compare({ANNE.id: found}, store).queue == []
    assert store.reads == []


@pytest.mark.parametrize("deleted", [False, True])
def test_state_decides_over_the_listing(deleted: bool):
    """A user whose state has changed since the listing is judged by it; without one, as new."""
    store = CountedStates([state(ANNE)])
    listed = store.leaf("", 9).entries
    read = store.read(ANNE.id)
    assert read
    if deleted:
        store.delete(ANNE.id, version=read.version)
    else:
        store.replace(state(ANNE, source_etag="e2"), version=read.version)
    found = pages(Photos({}), store).compare(listed, {ANNE.id: cover.mark("e2")}, since=NOON)

    assert found.queue == ([(ANNE.id, "new")] if deleted else [])


@pytest.mark.parametrize("busy", [False, True])
def test_blob_of_an_older_version_is_rewritten(busy: bool):
    """It is read and rewritten for the next listing, unless a run writes it anyway."""

    class Store(CountedStates):
        def replace(self, new: UserState, *, version: str) -> str:
            if busy:
                raise Conflict("Another run wrote this blob first.")
            return super().replace(new, version=version)

    store = Store([state(ANNE), state(BERT), state(CARA, claim=Claim("x", 60.0, 0.0))])
    found = {each.id: cover.mark("e1") for each in (ANNE, CARA)} | {BERT.id: cover.mark("e2")}
    before = {each.id: store.read(each.id) for each in (ANNE, BERT, CARA)}
    old = [replace(each, outlined=None) for each in store.leaf("", 9).entries]
    compared = pages(Photos({}), store).compare(old, found, since=NOON)
    written = [each for each, one in before.items() if store.read(each) != one]

    assert compared.queue == [(BERT.id, "changed")]
    assert written == ([] if busy else [ANNE.id])


@pytest.mark.parametrize("removes", [True, False])
def test_gone_users_are_named_if_pictures_are_removed(removes: bool):
    """With REMOVED_PHOTO=keep no user is gone."""
    since = NOON - 11 * MINUTE
    states = [state(ANNE, status=NO_PHOTO, source_etag="", missing_since=since)]
    none = NoPhoto("No photo.")
    store = CountedStates(states)
    found = compare({ANNE.id: none, BERT.id: none, CARA.id: none}, store, removes=removes)

    assert found.gone == ([ANNE.id] if removes else [])
    assert found.queue == []


def test_second_check_is_when_the_sweep_began():
    """A photo first missed since then is not gone, however late the states are listed."""
    missed = state(ANNE, status=NO_PHOTO, source_etag="", missing_since=NOON - 9 * MINUTE)
    store = CountedStates([missed])
    checker = pages(Photos({}), store)
    entries = store.leaf("", 9).entries
    none: dict[str, str | PhotoSyncError] = {ANNE.id: NoPhoto("x")}

    assert checker.compare(entries, none, since=NOON).gone == []
    assert checker.compare(entries, none, since=NOON + MINUTE).gone == [ANNE.id]


def test_errors_of_single_users():
    """Users without an answer are named with the error; the rest of the page is decided."""
    slow, odd = Throttled("Slow down."), AccessDenied("graph answered 403.")
    found = check(Photos({ANNE.id: slow, BERT.id: "e2", CARA.id: odd}), [state(ANNE), state(BERT)])

    assert [(one.user, one.error) for one in found.unanswered] == [(ANNE, slow)]
    assert found.errors == [slow, odd]
    assert found.queue == [(CARA.id, "new")]
    assert found.found == {BERT.id: "e2"}


@pytest.mark.parametrize(
    ("known", "unanswered"),
    [
        ({"checked_at": NOON}, 0),
        ({"checked_at": NOON - MINUTE}, 1),
        ({"checked_at": NOON.replace(year=9998)}, 1),
        ({"status": WAITING, "next_attempt_at": NOON + MINUTE}, 0),
    ],
    ids=["since Graph was asked", "before", "in the future", "waiting"],
)
def test_state_with_newer_facts(known: dict[str, Any], unanswered: int):
    """A state that a run has written since, or that has a message waiting, is left alone."""
    photos = Photos({ANNE.id: Throttled("x"), BERT.id: "e1", CARA.id: "e1"})

    assert len(check(photos, [state(ANNE, **known)]).unanswered) == unanswered


def test_one_message_per_user():
    """Each user gets a message with the reason and an id of its own; an error is raised."""
    queue, ids = MemoryQueue(lambda: NOON), iter("xyz")
    users_ = UserQueue(queue, clock=lambda: NOON, new_id=lambda: next(ids))
    users_.queue([ANNE.id, BERT.id], reason="sweep")
    messages = [json.loads(each.body) for each in queue.messages]

    assert sorted(each["userId"] for each in messages) == [ANNE.id, BERT.id]
    assert {each["reason"] for each in messages} == {"sweep"}
    assert sorted(each["correlationId"] for each in messages) == ["x", "y"]

    broken = failing(ServiceDown("Broken."))
    queue.send = lambda text, *, delay_seconds: broken()  # type: ignore[method-assign]
    with pytest.raises(ServiceDown):
        users_.queue([ANNE.id], reason="sweep")
