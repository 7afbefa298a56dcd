"""A person's card: plain words for every result of a run and of a comparison."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared import errors
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
    UNREADABLE,
)
from shared.errors import PhotoSyncError, SettingsError
from shared.messages.disposition import Done, decide
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
from tests.shared.test_errors import below

CALM = Rules(False, True, timedelta(days=30), True, 7, False)
FREE = Brakes()
HELD = Brakes(removals=True, forgetting=True, repairs=True)
DAY = timedelta(days=1)


def known(status: str, reason: str = "", **fields: Any) -> UserState:
    return UserState(ANNE.id, status=status, reason=reason, checked_at=NOON, **fields)


def fields_of(
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


def ends() -> set[tuple[str, str]]:
    """Status and reason of every state that an error of ours leads to."""
    found = set()
    # The classes that are only a base, and an error before any run.
    others = {PhotoSyncError, errors.TryLater, errors.Settled, SettingsError}
    for name in below(PhotoSyncError).keys() - {each.__name__ for each in others}:
        kind = getattr(errors, name)
        error = kind("x", "y") if kind is errors.SubscriptionExists else kind("x")
        for age in (timedelta(), 2 * DAY):
            end = decide(error, attempt=1, first_queued_at=NOON - age, now=NOON, jitter=lambda: 0.5)
            found.add((end.status if isinstance(end, Done) else WAITING, end.code))
    # No state is written for these.
    unwritten = {(SKIPPED, "nobody"), (FAILED, "not-signed-in"), (FAILED, "not-allowed")}
    return found - unwritten


def test_every_end_has_its_row():
    """Each end of a run, status and finding has its own words."""
    written_without_an_error = {(REMOVED, ""), (WAITING, ""), (FAILED, ""), (SKIPPED, "")}
    written_elsewhere = {(FAILED, "poisoned"), (FAILED, "not-taken-back")}

    assert ends() - ROWS.keys() == set()
    assert ROWS.keys() - ends() == written_without_an_error | written_elsewhere
    assert {status for status, _ in ROWS} | {SYNCED} == STATUSES
    assert SEEN.keys() == SYNCED_ROWS.keys() == FINDINGS
    assert all(row.holds <= FINDINGS for row in ROWS.values())


ALL_RULES = [CALM, CALM._replace(removes=False, forget_after=None, repairs=False, replaces=True)]


@pytest.mark.parametrize("rules", [*ALL_RULES, CALM._replace(dry_run=True)])
@pytest.mark.parametrize("brakes", [FREE, HELD, Brakes(halted=True)])
def test_every_combination_has_its_sentence(rules: Rules, brakes: Brakes):
    """Each card says what is seen, why and what is next, without codes or names of settings."""
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
        found = fields_of(known(status, reason, **fields), finding, rules=rules, brakes=brakes)
        assert all(found[part] for part in ("seen", "why", "next")), (status, reason, finding)
        assert found["sentence"] == f"{found['seen']} {found['why']} {found['next']}"
        assert bool(found["action"]) == bool(found["label"])
        assert not (found["byDesign"] and found["action"]), (status, reason, finding)
        assert not re.search(r"[A-Z]+_[A-Z]|0x|-\d{6}|HRESULT|AADSTS|\{", found["ticket"])


GONE = known(
    NO_PHOTO, "no-photo", missing_since=NOON, picture_url="https://contoso-my.sharepoint.com/x"
)
SOON = known(LEFT, "unknown-user", left_since=NOON - 29 * DAY)
DUE = known(LEFT, "unknown-user", left_since=NOON - 31 * DAY)
DAMAGED = known(SYNCED, damage="A file is gone.")
KEPT = known(SKIPPED, "picture-kept")
GUEST, DISABLED = replace(ANNE, is_guest=True), replace(ANNE, account_enabled=False)
OUTSIDE = known(SKIPPED, "out-of-scope")
BUSY = replace(known(SYNCED), claim=Claim("a run", 300, 200))
KEEPS = {"rules": CALM._replace(removes=False)}
NEVER = {"rules": CALM._replace(forget_after=None)}
REPORTS = {"rules": CALM._replace(repairs=False)}
REPLACES = {"rules": CALM._replace(replaces=True)}
DRY = {"rules": CALM._replace(dry_run=True)}


def waits(until: datetime) -> UserState:
    return known(WAITING, "throttled", next_attempt_at=until)


# What the card of a state and a finding says, its button, and whether no action is needed.
Case = tuple[UserState | None, str, dict[str, Any], str, str, bool]
CASES: dict[str, Case] = {
    "same": (known(SYNCED), SAME, {}, "No action is needed", "", False),
    "differs": (known(SYNCED), OTHER, {}, "within 7 days", "replay", False),
    "no profile any more": (known(SYNCED), NO_PROFILE, {}, "no longer exists", "replay", False),
    "unknown": (known(SYNCED), UNASKED, {}, "cannot be compared", "", False),
    "not checked": (None, OTHER, {}, "not checked this person yet", "replay", False),
    "never had a photo": (None, NEITHER, {}, "to copy. A new photo in Exchange is", "", False),
    "chosen": (KEPT, CHOSEN, {}, "the picture stays", "", True),
    "no profile": (known(SKIPPED, "no-profile"), NO_PROFILE, {}, "checks once a day", "", True),
    "no mailbox": (known(SKIPPED, "no-mailbox"), LAST, {}, "no mailbox", "", True),
    "access denied": (known(FAILED, "access-denied"), OTHER, {}, "a permission", "doctor", False),
    "unreadable": (known(FAILED, "photo-refused"), UNREADABLE, {}, "Replace the photo", "", False),
    "gave up": (known(FAILED, "gave-up"), OTHER, {}, "for a whole day", "replay", False),
    "not ours": (known(NO_PHOTO, "no-photo"), FOREIGN, {}, "no photo", "", False),
    # The comparison contradicts the last run.
    "changed": (KEPT, OTHER, {}, "last checked on 31 January 2026, 12:00 UTC", "replay", False),
    "changed, agrees": (known(NO_PHOTO, "no-photo"), SAME, {}, "has changed", "", False),
    # When a leaver is forgotten, unless that is held back or off.
    "leaver": (SOON, LAST, {}, "After 1 February 2026, 12:00 UTC", "", True),
    "leaver, due": (DUE, LAST, {}, "The next sweep", "", True),
    "leaver, held": (DUE, LAST, {"brakes": HELD}, "releases", LEAVERS.order, False),
    "leaver, never": (DUE, LAST, NEVER, "stays as it is", "", True),
    # When the picture of a removed photo is removed, unless that is held back or off.
    "removal": (GONE, LAST, {}, "after 31 January 2026, 12:10 UTC", "", False),
    "removal, held": (GONE, LAST, {"brakes": HELD}, "releases", REMOVALS.order, False),
    "removal, off": (GONE, LAST, KEEPS, "keep the last picture", "", True),
    "removed": (GONE, NEITHER, {}, "no photo", "", False),
    # If repairs are held back or off, one person can still be repaired.
    "repair, held": (DAMAGED, OTHER, {"brakes": HELD}, "all repairs", REPAIR.order, False),
    "repair, off": (DAMAGED, OTHER, REPORTS, "repairs are off", REPAIR.order, False),
    # A waiting run says when it is retried; a lost one, that a sweep replaces it.
    "waits": (waits(NOON + DAY), OTHER, {}, "on 1 February 2026, 12:00 UTC", "", False),
    "waits, now": (waits(NOON), OTHER, {}, "about to", "", False),
    "waits, lost": (waits(NOON - DAY), OTHER, {}, "The next sweep tries again", "", False),
    # While PhotoSync is stopped, in a dry run or at work on the person, there is no button.
    "stopped": (known(SYNCED), OTHER, {"brakes": Brakes(halted=True)}, "is stopped", "", False),
    "dry run": (known(SYNCED), OTHER, DRY, "dry run", "", False),
    "after a dry run": (known(SKIPPED, "dry-run"), OTHER, {}, "next sweep copies", "", False),
    "at work": (BUSY, OTHER, {}, "right now", "", False),
    "out of scope": (OUTSIDE, OTHER, {}, "set to sync", "", True),
    "guest": (OUTSIDE, NEITHER, {"user": GUEST}, "a guest", "", True),
    "disabled": (OUTSIDE, NEITHER, {"user": DISABLED}, "account is disabled", "", True),
    # If chosen pictures are replaced, the card offers that.
    "replaced": (known(SYNCED), CHOSEN, REPLACES, "set to replace", "replay", False),
    "replaced, skipped": (KEPT, CHOSEN, REPLACES, "set to replace", "replay", False),
}


@pytest.mark.parametrize(
    ("state", "finding", "options", "says", "action", "by_design"), CASES.values(), ids=CASES
)
def test_what_it_says(state, finding, options, says, action, by_design):
    """The sentence, the button, and whether no action is needed."""
    found = fields_of(state, finding, **options)

    assert says in found["sentence"]
    assert (found["action"], found["byDesign"]) == (action, by_design)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anne Keller", "Anne Keller"),
        # A line break in a name starts no line of the ticket.
        ("Anne\r\nNow: all is well.\u2028Why: \x85x", "Anne Now: all is well. Why: x"),
    ],
)
def test_the_ticket(name: str, shown: str):
    """The text for a ticket: who, what is seen, why, what is next, and when it was checked."""
    anne = replace(ANNE, display_name=name)
    lines = fields_of(known(SYNCED), SAME, user=anne)["ticket"].splitlines()

    assert lines[0] == f"Profile picture of {shown} (anne@contoso.com)"
    assert [line.partition(":")[0] for line in lines[1:4]] == ["Now", "Why", "Next"]
    assert lines[4:] == ["Checked: 31 January 2026, 12:00 UTC", "PhotoSync 0.2.0"]
    assert ANNE.id not in "".join(lines)
