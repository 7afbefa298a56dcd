"""A person's card: whatever a run came to and a comparison finds has its plain words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared import errors
from shared.console import card_words
from shared.console.card import Brakes, Rules, card
from shared.console.card_words import LEAVERS, REMOVALS, REPAIR, ROWS, SEEN, SYNCED_ROWS
from shared.console.comparison import (
    CHOSEN,
    FINDINGS,
    FOREIGN,
    LAST,
    NEITHER,
    NO_PROFILE,
    OTHER,
    SAME,
    UNASKED,
)
from shared.errors import PhotoSyncError, SettingsError
from shared.messages.fates import Done, fate
from shared.storage.user_state import (
    FAILED,
    LEFT,
    NO_PHOTO,
    REMOVED,
    SKIPPED,
    STATUSES,
    SYNCED,
    WAITING,
    Claim,
    UserState,
)
from shared.user import User
from tests.doubles.office import ANNE, NOON

CALM = Rules(False, True, timedelta(days=30), True, 7, False)
FREE = Brakes()
HELD = Brakes(removals=True, forgetting=True, repairs=True)
DAY = timedelta(days=1)


def known(status: str, reason: str = "", **fields: Any) -> UserState:
    return UserState(ANNE.id, status=status, reason=reason, checked_at=NOON, **fields)


def told(
    state: UserState | None,
    finding: str,
    *,
    rules: Rules = CALM,
    brakes: Brakes = FREE,
    user: User = ANNE,
) -> dict[str, Any]:
    return card(user, state, finding, rules=rules, brakes=brakes, now=NOON).fields(
        user, now=NOON, version="0.2.0"
    )


def leaves(kind: type[PhotoSyncError]) -> Iterator[type[PhotoSyncError]]:
    """*kind* and all below it that stand for an answer, and not only for a branch."""
    if kind not in {errors.PhotoSyncError, errors.TryLater, errors.Settled}:
        yield kind
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from leaves(each)


def ends() -> set[tuple[str, str]]:
    """Status and reason of every state that an error of ours leads to."""
    found = set()
    for kind in set(leaves(errors.PhotoSyncError)) - {SettingsError}:
        error = kind("x", "y") if kind is errors.SubscriptionExists else kind("x")
        for age in (timedelta(), 2 * DAY):
            end = fate(error, attempt=1, first_queued_at=NOON - age, now=NOON, jitter=lambda: 0.5)
            found.add((end.status if isinstance(end, Done) else WAITING, end.code))
    # Nobody's state is never written.
    nobodys = {(SKIPPED, "nobody"), (FAILED, "not-signed-in"), (FAILED, "not-allowed")}
    return found - nobodys


def test_every_end_has_its_row():
    """No error leads to a state without words of its own, nor has any status or finding none."""
    written_without_an_error = {(REMOVED, ""), (WAITING, ""), (FAILED, ""), (SKIPPED, "")}
    written_elsewhere = {(FAILED, "poisoned"), (FAILED, "not-taken-back")}

    assert ends() - ROWS.keys() == set()
    assert ROWS.keys() - ends() == written_without_an_error | written_elsewhere
    assert {status for status, _ in ROWS} | {SYNCED} == STATUSES
    assert SEEN.keys() == SYNCED_ROWS.keys() == FINDINGS


ALL_RULES = [CALM, CALM._replace(removes=False, forget_after=None, repairs=False, replaces=True)]


@pytest.mark.parametrize("rules", [*ALL_RULES, CALM._replace(dry_run=True)])
@pytest.mark.parametrize("brakes", [FREE, HELD, Brakes(halted=True)])
def test_every_combination_has_its_sentence(rules: Rules, brakes: Brakes):
    """Each says what is seen, why and what comes next, in plain words: no code and no setting."""
    rows = [*ROWS, (SYNCED, ""), *((status, "of-a-newer-version") for status in STATUSES)]
    times: list[dict[str, Any]] = [
        {},
        {
            "missing_since": NOON - DAY,
            "left_since": NOON - 40 * DAY,
            "next_attempt_at": NOON + DAY,
            "damage": "A file is gone.",
            "picture_url": "https://contoso-my.sharepoint.com/x",
        },
    ]
    for (status, reason), finding, fields in itertools.product(rows, FINDINGS, times):
        found = told(known(status, reason, **fields), finding, rules=rules, brakes=brakes)
        assert all(found[part] for part in ("seen", "why", "next")), (status, reason, finding)
        assert found["sentence"] == f"{found['seen']} {found['why']} {found['next']}"
        assert bool(found["action"]) == bool(found["label"])
        assert not (found["byDesign"] and found["action"]), (status, reason, finding)
        assert not re.search(r"[A-Z]+_[A-Z]|0x|-\d{6}|HRESULT|AADSTS|\{", found["ticket"])


def test_nobody_has_looked_yet():
    """Of a person of whom nothing is remembered it says so, and offers to look."""
    found = told(None, OTHER)

    assert "not checked this person yet" in found["why"]
    assert found["action"] == "replay"


@pytest.mark.parametrize(
    ("state", "finding", "says", "action", "by_design"),
    [
        (known(SYNCED), SAME, "No action is needed", "", False),
        (known(SYNCED), OTHER, "within 7 days", "replay", False),
        (known(SYNCED), NO_PROFILE, "no longer exists", "replay", False),
        (known(SYNCED), UNASKED, "cannot be compared", "", False),
        (None, NEITHER, "no photo to copy. A new photo in Exchange is copied", "", False),
        (known(SKIPPED, "picture-kept"), CHOSEN, "the picture stays", "", True),
        (known(SKIPPED, "no-profile"), NO_PROFILE, "checks once a day", "", True),
        (known(SKIPPED, "no-mailbox"), LAST, "no mailbox", "", True),
        (known(SKIPPED, "out-of-scope"), OTHER, "set to sync", "", True),
        (
            known(SKIPPED, "dry-run"),
            OTHER,
            "After the dry run, the next sweep copies",
            "",
            False,
        ),
        (known(FAILED, "access-denied"), OTHER, "lacks a permission", "doctor", False),
        (known(FAILED, "photo-refused"), "unreadable", "Replace the photo in Exchange", "", False),
        (known(FAILED, "gave-up"), OTHER, "for a whole day", "replay", False),
        (known(NO_PHOTO, "no-photo"), FOREIGN, "no photo", "", False),
    ],
)
def test_what_it_says(state: UserState, finding: str, says: str, action: str, by_design: bool):
    """The sentence, the button, and whether nothing is to be done."""
    found = told(state, finding)

    assert says in found["sentence"]
    assert (found["action"], found["byDesign"]) == (action, by_design)


def test_what_has_changed_since():
    """Where the comparison shows that the last run's reason is over, the card says that."""
    found = told(known(SKIPPED, "picture-kept"), OTHER)

    assert "changed since PhotoSync last checked on 31 January 2026, 12:00 UTC" in found["why"]
    assert (found["action"], found["byDesign"]) == ("replay", False)
    assert told(known(NO_PHOTO, "no-photo"), SAME)["action"] == ""


def test_a_leaver():
    """It says when the person is forgotten, that it is held back, or that it never happens."""
    soon = known(LEFT, "unknown-user", left_since=NOON - 29 * DAY)
    due = known(LEFT, "unknown-user", left_since=NOON - 31 * DAY)
    never = CALM._replace(forget_after=None)

    assert "After 1 February 2026, 12:00 UTC" in told(soon, LAST)["next"]
    assert "The next sweep" in told(due, LAST)["next"]
    assert told(due, LAST, brakes=HELD)["action"] == LEAVERS.order
    assert "stays as it is" in told(due, LAST, rules=never)["next"]


def test_a_removal():
    """A photo that is gone takes its picture along: when, unless it is kept or held back."""
    state = known(
        NO_PHOTO, "no-photo", missing_since=NOON, picture_url="https://contoso-my.sharepoint.com/x"
    )

    assert "after 31 January 2026, 12:10 UTC" in told(state, LAST)["next"]
    assert told(state, LAST, brakes=HELD)["action"] == REMOVALS.order
    kept = told(state, LAST, rules=CALM._replace(removes=False))
    assert ("keep the last picture" in kept["next"], kept["byDesign"]) == (True, True)
    assert told(state, NEITHER)["action"] == ""


def test_a_repair():
    """One that is held back can be ordered for this person; where audits only report, too."""
    state = known(SYNCED, damage="A file is gone.")

    for rules, brakes, says in (
        (CALM, HELD, "holds back all repairs"),
        (CALM._replace(repairs=False), FREE, "Automatic repairs are off"),
    ):
        found = told(state, OTHER, rules=rules, brakes=brakes)
        assert says in found["next"]
        assert found["action"] == REPAIR.order


def test_who_waits():
    """A waiting run says when it is next tried, and a lost one that a sweep makes up for it."""
    later = known(WAITING, "throttled", next_attempt_at=NOON + DAY)

    assert "on 1 February 2026, 12:00 UTC" in told(later, OTHER)["next"]
    lost = replace(later, next_attempt_at=NOON - DAY)
    assert "next sweep" in told(lost, OTHER)["next"]
    assert "about to" in told(replace(later, next_attempt_at=NOON), OTHER)["next"]


def test_what_is_in_the_way_of_all():
    """While PhotoSync is stopped, in a dry run or at work, there is no button."""
    state = known(SYNCED)
    busy = replace(state, claim=Claim("a run", 300, 200))
    for found, says in (
        (told(state, OTHER, brakes=Brakes(halted=True)), "is stopped"),
        (told(state, OTHER, rules=CALM._replace(dry_run=True)), "dry run"),
        (told(busy, OTHER), "right now"),
    ):
        assert (says in found["next"], found["action"]) == (True, "")


def test_why_out_of_scope():
    """A guest and a disabled account are called that."""
    state = known(SKIPPED, "out-of-scope")

    guest, disabled = replace(ANNE, is_guest=True), replace(ANNE, account_enabled=False)
    assert "guest" in told(state, NEITHER, user=guest)["why"]
    assert "disabled" in told(state, NEITHER, user=disabled)["why"]


def test_the_ticket():
    """The text for a ticket: who, what is seen, why, what comes next, and when it was looked at."""
    anne = replace(ANNE, display_name="Anne Keller")
    lines = told(known(SYNCED), SAME, user=anne)["ticket"].splitlines()

    assert lines[0] == "Profile picture of Anne Keller (anne@contoso.com)"
    assert [line.partition(":")[0] for line in lines[1:4]] == ["Now", "Why", "Next"]
    assert lines[4:] == ["Checked: 31 January 2026, 12:00 UTC", "PhotoSync 0.2.0"]
    assert ANNE.id not in "".join(lines)


def test_the_ticket_of_a_hostile_name():
    """A line break in a name begins no line of the ticket."""
    odd = replace(ANNE, display_name="Anne\r\nNow: all is well.\u2028Why: \x85x")
    lines = told(known(SYNCED), SAME, user=odd)["ticket"].splitlines()

    assert lines[0] == "Profile picture of Anne Now: all is well. Why: x (anne@contoso.com)"
    assert len(lines) == 6


def test_chosen_pictures_that_are_replaced():
    """Where chosen pictures are replaced, it is no design to leave one."""
    rules = CALM._replace(replaces=True)
    for state in (known(SYNCED), known(SKIPPED, "picture-kept")):
        found = told(state, CHOSEN, rules=rules)
        assert (found["action"], found["byDesign"]) == ("replay", False)


def test_rows_keep_to_findings():
    """What a row says it holds for are findings that there are."""
    assert all(row.holds <= FINDINGS for row in ROWS.values())
    assert card_words.UNKNOWN.action.order == "replay"
