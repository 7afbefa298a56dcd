"""
The plain words of a person's card: what people see, why, and what happens next.

One row for each result of a run, and one for each result of a comparison. No codes, no ids, no
names of settings: a help desk reads these sentences out to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from shared.console.comparison import (
    ANOTHER_HOST,
    CHOSEN,
    ELSEWHERE,
    FINDINGS,
    FOREIGN,
    LAST,
    NEITHER,
    NO_PROFILE,
    NOTHING,
    OTHER,
    PLACEHOLDER,
    SAME,
    UNASKED,
    UNREADABLE,
)
from shared.storage.user_state import (
    FAILED,
    LEFT,
    NO_PHOTO,
    NOT_TAKEN_BACK,
    REMOVED,
    SKIPPED,
    WAITING,
)


class Action(NamedTuple):
    """
    The one button: `order` is what it does, empty if there is nothing to do.

    `replay` checks the person again, `doctor` opens the health check, `removals` and `leavers` link
    to those whom the brake holds back.
    """

    order: str
    label: str


NONE = Action("", "")
LOOK, RETRY = Action("replay", "Check now"), Action("replay", "Try again now")
REPAIR = Action("replay", "Repair now")
CHECK_UP = Action("doctor", "Open the health check")
REMOVALS = Action("removals", "See what is held back")
LEAVERS = Action("leavers", "See what is held back")


class Words(NamedTuple):
    """
    Why people see what they see, what happens next, and the button.

    `by_design`: PhotoSync leaves the person alone, and nothing needs to be done. The words are true
    if the comparison's result is in `holds`, or there is none; otherwise something has changed
    since.
    """

    why: str
    next: str
    action: Action = NONE
    by_design: bool = False
    holds: frozenset[str] = FINDINGS


SEEN: Mapping[str, str] = {
    SAME: "People see the photo from Exchange.",
    NEITHER: "People see no picture, and Exchange has no photo.",
    NOTHING: "People see no picture, although Exchange has a photo.",
    CHOSEN: "People see a picture that a person chose in SharePoint.",
    ELSEWHERE: "People see PhotoSync's picture at an old address, which may stop working.",
    PLACEHOLDER: "People see a placeholder, although SharePoint has a picture.",
    OTHER: "People see a different picture from the photo in Exchange, or none.",
    UNREADABLE: "People see an earlier picture, not the photo in Exchange.",
    LAST: "People see the last picture, although Exchange no longer has a photo.",
    FOREIGN: "People see a picture that is not PhotoSync's, and Exchange has no photo.",
    NO_PROFILE: "People see no picture: this person has no profile in SharePoint.",
    ANOTHER_HOST: "People see a picture from a part of SharePoint that PhotoSync does not know.",
    UNASKED: "SharePoint and Exchange cannot be compared at the moment.",
}

# Results without a photo in Exchange, as far as is known.
_WITHOUT = frozenset({NEITHER, LAST, FOREIGN, NO_PROFILE, ANOTHER_HOST})
# Results for which the photo was read, or does not exist.
_READ = frozenset({SAME, OTHER, NEITHER, LAST, FOREIGN})
_PHOTO_FOLLOWS = "A new photo in Exchange is copied automatically, usually within minutes."
_SWEEP_TRIES = "The next sweep tries again automatically."
_STAYS = "No action is needed: the picture stays as it is."
_IF_IT_LASTS = "If this lasts, an administrator can find details on this page and in the log."

_UNFORESEEN = Words(
    "A Microsoft service gave an answer about this person that PhotoSync cannot interpret.",
    f"{_SWEEP_TRIES} {_IF_IT_LASTS}",
    RETRY,
)
_BUSY = Words("Another run was working on this person.", "")
_SILENT = Words("A Microsoft service is not responding at the moment.", "")
_UNREAD = Words(
    "PhotoSync cannot read the file in Exchange as a picture.",
    "Replace the photo in Exchange, for example with a JPEG: PhotoSync copies it automatically. It "
    "retries the current photo once a day.",
    holds=FINDINGS - _READ,
)

# Results of a run, by status and reason. For waiting ones, `card` adds until when.
ROWS: Mapping[tuple[str, str], Words] = {
    (NO_PHOTO, "no-photo"): Words("There is no photo to copy.", _PHOTO_FOLLOWS, holds=_WITHOUT),
    (REMOVED, ""): Words(
        "The photo was removed from Exchange, and PhotoSync removed its picture.",
        _PHOTO_FOLLOWS,
        holds=_WITHOUT,
    ),
    (LEFT, "unknown-user"): Words("This person has left: the account was deleted.", _STAYS),
    (SKIPPED, "out-of-scope"): Words(
        "This person is not among those whom PhotoSync is set to sync.",
        _STAYS,
        by_design=True,
    ),
    (SKIPPED, "no-mailbox"): Words(
        "This person has no mailbox in Exchange, so there is no photo to copy.",
        "No action is needed. PhotoSync checks again once a day.",
        by_design=True,
        holds=_WITHOUT,
    ),
    (SKIPPED, "no-profile"): Words(
        "SharePoint creates a profile at a person's first visit, or some hours after a rename.",
        "No action is needed: PhotoSync checks once a day and copies the photo into a new profile.",
        by_design=True,
        holds=frozenset({NO_PROFILE, NEITHER}),
    ),
    (SKIPPED, "picture-kept"): Words(
        "PhotoSync is set to keep pictures that people choose.",
        "No action is needed: the picture stays until somebody chooses another one, or an operator "
        "replaces it.",
        by_design=True,
        holds=frozenset({CHOSEN, FOREIGN}),
    ),
    (SKIPPED, "other-host"): Words(
        "This person's personal site is in a geography that is not set up, or is being moved.",
        "PhotoSync checks once a day. If this lasts, an administrator must set up the geography.",
        CHECK_UP,
        holds=frozenset({ANOTHER_HOST}),
    ),
    (SKIPPED, "dry-run"): Words(
        "PhotoSync would change the picture, but this is a dry run: it wrote nothing.",
        "After the dry run, the next sweep copies the photo.",
    ),
    (SKIPPED, ""): Words("PhotoSync skipped this person.", "The next sweep checks again.", LOOK),
    (FAILED, "access-denied"): Words(
        "PhotoSync was denied access: it lacks a permission, or access to this person's mailbox.",
        f"An administrator must grant the missing access. {_SWEEP_TRIES}",
        CHECK_UP,
    ),
    (FAILED, "photo-refused"): _UNREAD,
    (FAILED, "photo-too-large"): _UNREAD,
    (FAILED, "gave-up"): Words(
        "PhotoSync gave up because Microsoft 365 delayed the copy for a whole day.",
        _SWEEP_TRIES,
        RETRY,
    ),
    (FAILED, "poisoned"): Words(
        "PhotoSync itself failed several times on this person. This is a bug in PhotoSync.",
        f"{_SWEEP_TRIES} {_IF_IT_LASTS}",
        RETRY,
    ),
    (FAILED, NOT_TAKEN_BACK): Words(
        "PhotoSync could not remove its picture when it was uninstalled.",
        "An administrator must fix the cause and start the uninstall again.",
    ),
    (FAILED, ""): _UNFORESEEN,
    (WAITING, "throttled"): Words("Microsoft 365 is busy and asked PhotoSync to wait.", ""),
    (WAITING, "service-down"): _SILENT,
    (WAITING, "unanswered"): _SILENT,
    (WAITING, "claim-held"): _BUSY,
    (WAITING, "claim-lost"): _BUSY,
    (WAITING, "conflict"): _BUSY,
    (WAITING, "archived"): _BUSY,
    (WAITING, "full"): _BUSY,
    (WAITING, ""): Words("This person is still in the queue.", ""),
    **{
        (FAILED, reason): _UNFORESEEN
        for reason in (
            *("bad-message", "bad-request", "key-in-address", "failed", "refused"),
            *("endless-list", "subscription-gone", "subscription-exists"),
        )
    },
}
# A state may be older or newer than this version, or edited by hand.
_OF_STATUS = {
    NO_PHOTO: ROWS[NO_PHOTO, "no-photo"],
    LEFT: ROWS[LEFT, "unknown-user"],
}

# A person who never had a photo has no state.
PHOTOLESS = Words("There is no photo to copy.", _PHOTO_FOLLOWS)
UNKNOWN = Words("PhotoSync has not checked this person yet.", "The next sweep does.", LOOK)

_CHANGED_SINCE = (
    "Something other than PhotoSync changed the picture in SharePoint, or the photo is new."
)
# For a person whose last run copied, or found everything in order: the current finding decides.
SYNCED_ROWS: Mapping[str, Words] = {
    SAME: Words(
        "PhotoSync copied it.",
        f"No action is needed. {_PHOTO_FOLLOWS}",
    ),
    NEITHER: Words("The photo was removed from Exchange.", _PHOTO_FOLLOWS),
    **{
        finding: Words(_CHANGED_SINCE, "", REPAIR)
        for finding in (NOTHING, ELSEWHERE, PLACEHOLDER, OTHER)
    },
    CHOSEN: ROWS[SKIPPED, "picture-kept"],
    UNREADABLE: _UNREAD,
    LAST: Words("The photo was removed from Exchange a short while ago.", ""),
    FOREIGN: Words(
        "The photo was removed from Exchange, and somebody has set another picture.", _STAYS
    ),
    NO_PROFILE: Words(
        "The profile to which PhotoSync wrote no longer exists.",
        "The next audit that repairs records this. After that, PhotoSync checks once a day and "
        "copies the photo into a new profile.",
        LOOK,
    ),
    ANOTHER_HOST: ROWS[SKIPPED, "other-host"],
    UNASKED: Words("PhotoSync found no problem when it last checked.", "Check again later."),
}


def of_run(status: str, reason: str) -> Words:
    """The words for a run that did not end in `synced`."""
    return (
        ROWS.get((status, reason))
        or ROWS.get((status, ""))
        or _OF_STATUS.get(status)
        or ROWS[SKIPPED, ""]
    )
