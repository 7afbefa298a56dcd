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

    `replay` checks the person again, `doctor` opens the check-up, `removals` and `leavers` link to
    those whom the brake holds back.
    """

    order: str
    label: str


NONE = Action("", "")
LOOK, RETRY = Action("replay", "Look now"), Action("replay", "Try again now")
REPAIR = Action("replay", "Repair now")
CHECK_UP = Action("doctor", "Open the check-up")
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
    SAME: "People see the photo that Exchange holds.",
    NEITHER: "People see no picture, and Exchange holds no photo.",
    NOTHING: "People see no picture, although Exchange holds a photo.",
    CHOSEN: "People see a picture that a person chose in SharePoint.",
    ELSEWHERE: "People see PhotoSync's picture by an old address, which may end.",
    PLACEHOLDER: "People see a placeholder, although SharePoint has a picture.",
    OTHER: "People see another picture than the photo that Exchange holds, or none.",
    UNREADABLE: "People see an earlier picture, and not the photo that Exchange holds.",
    LAST: "People see the last picture, although Exchange holds no photo any more.",
    FOREIGN: "People see a picture that is not PhotoSync's, and Exchange holds no photo.",
    NO_PROFILE: "People see no picture: SharePoint has no profile of this person.",
    ANOTHER_HOST: "What people see is in a part of SharePoint that PhotoSync does not know.",
    UNASKED: "What people see cannot be compared with Exchange at the moment.",
}

# Results without a photo in Exchange, as far as is known.
_WITHOUT = frozenset({NEITHER, LAST, FOREIGN, NO_PROFILE, ANOTHER_HOST})
# Results for which the photo was read, or does not exist.
_READ = frozenset({SAME, OTHER, NEITHER, LAST, FOREIGN})
_PHOTO_FOLLOWS = "A photo that is put into Exchange follows by itself, mostly within minutes."
_SWEEP_TRIES = "The next sweep tries again by itself."
_STAYS = "Nothing is to be done: the picture stays as it is."
_IN_THE_WAY = "If it stays so, an administrator finds the details on this page and in the log."

_UNFORESEEN = Words(
    "A Microsoft service gave an answer about this person that PhotoSync does not know.",
    f"{_SWEEP_TRIES} {_IN_THE_WAY}",
    RETRY,
)
_BUSY = Words("Another run was busy with this person.", "")
_SILENT = Words("A Microsoft service does not answer at the moment.", "")
_UNREAD = Words(
    "The file in Exchange is none that PhotoSync can read as a picture.",
    "Put another photo into Exchange, a JPEG for instance: it follows by itself. The present one "
    "is tried once a day.",
    holds=FINDINGS - _READ,
)

# Results of a run, by status and reason. For waiting ones, `card` adds until when.
ROWS: Mapping[tuple[str, str], Words] = {
    (NO_PHOTO, "no-photo"): Words("There is nothing to copy.", _PHOTO_FOLLOWS, holds=_WITHOUT),
    (REMOVED, ""): Words(
        "The photo was taken out of Exchange, and PhotoSync took its picture away.",
        _PHOTO_FOLLOWS,
        holds=_WITHOUT,
    ),
    (LEFT, "unknown-user"): Words("This person has left: the account was deleted.", _STAYS),
    (SKIPPED, "out-of-scope"): Words(
        "This person is not among those whom PhotoSync is set to look after.",
        _STAYS,
        by_design=True,
    ),
    (SKIPPED, "no-mailbox"): Words(
        "This person has no mailbox in Exchange, so there is no photo to copy.",
        "Nothing is to be done. PhotoSync looks again once a day.",
        by_design=True,
        holds=_WITHOUT,
    ),
    (SKIPPED, "no-profile"): Words(
        "SharePoint makes a profile at a person's first visit, or some hours after a new name.",
        "Nothing is to be done: PhotoSync looks again once a day, and then copies the photo.",
        by_design=True,
        holds=frozenset({NO_PROFILE, NEITHER}),
    ),
    (SKIPPED, "picture-kept"): Words(
        "PhotoSync is set to keep what a person chose.",
        "Nothing is to be done: it stays until somebody chooses another one, or an operator "
        "replaces it.",
        by_design=True,
        holds=frozenset({CHOSEN, FOREIGN}),
    ),
    (SKIPPED, "other-host"): Words(
        "This person's personal site is in a geography that is not set up, or is being moved.",
        "PhotoSync looks again once a day. If it stays so, an administrator sets up the geography.",
        CHECK_UP,
        holds=frozenset({ANOTHER_HOST}),
    ),
    (SKIPPED, "dry-run"): Words(
        "PhotoSync would change it, and has written nothing.",
        "Once the rehearsal is over, the next sweep copies the photo.",
    ),
    (SKIPPED, ""): Words(
        "PhotoSync has left this person alone.", "The next sweep looks again.", LOOK
    ),
    (FAILED, "access-denied"): Words(
        "PhotoSync was refused: a right is missing, or this person's mailbox is closed to it.",
        f"An administrator grants the right, or opens the mailbox. {_SWEEP_TRIES}",
        CHECK_UP,
    ),
    (FAILED, "photo-refused"): _UNREAD,
    (FAILED, "photo-too-large"): _UNREAD,
    (FAILED, "gave-up"): Words(
        "Microsoft 365 did not let PhotoSync work for a whole day.", _SWEEP_TRIES, RETRY
    ),
    (FAILED, "poisoned"): Words(
        "PhotoSync itself stopped several times over this person: a defect.",
        f"{_SWEEP_TRIES} {_IN_THE_WAY}",
        RETRY,
    ),
    (FAILED, NOT_TAKEN_BACK): Words(
        "PhotoSync could not take its picture back when it was uninstalled.",
        "An administrator mends the cause and orders the uninstallation again.",
    ),
    (FAILED, ""): _UNFORESEEN,
    (WAITING, "throttled"): Words("Microsoft 365 is busy and asks for patience.", ""),
    (WAITING, "service-down"): _SILENT,
    (WAITING, "unanswered"): _SILENT,
    (WAITING, "claim-held"): _BUSY,
    (WAITING, "claim-lost"): _BUSY,
    (WAITING, "conflict"): _BUSY,
    (WAITING, "archived"): _BUSY,
    (WAITING, "full"): _BUSY,
    (WAITING, ""): Words("This person's turn is yet to come.", ""),
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
PHOTOLESS = Words("There is nothing to copy.", _PHOTO_FOLLOWS)
UNKNOWN = Words("PhotoSync has not looked at this person yet.", "The next sweep does.", LOOK)

_CHANGED_SINCE = "Something other than PhotoSync has changed it in SharePoint, or the photo is new."
# For a person whose last run copied, or found everything in order: the current finding decides.
SYNCED_ROWS: Mapping[str, Words] = {
    SAME: Words(
        "PhotoSync has copied it.",
        "Nothing is to be done: a new photo in Exchange follows by itself, mostly within minutes.",
    ),
    NEITHER: Words("The photo was taken out of Exchange.", _PHOTO_FOLLOWS),
    **{
        finding: Words(_CHANGED_SINCE, "", REPAIR)
        for finding in (NOTHING, ELSEWHERE, PLACEHOLDER, OTHER)
    },
    CHOSEN: ROWS[SKIPPED, "picture-kept"],
    UNREADABLE: _UNREAD,
    LAST: Words("The photo was taken out of Exchange a short while ago.", ""),
    FOREIGN: Words(
        "The photo was taken out of Exchange, and somebody has set another picture.", _STAYS
    ),
    NO_PROFILE: Words(
        "The profile has vanished since PhotoSync wrote into it.",
        "The next audit that repairs finds out; from then on PhotoSync looks once a day, and "
        "copies the photo into a new profile.",
        LOOK,
    ),
    ANOTHER_HOST: ROWS[SKIPPED, "other-host"],
    UNASKED: Words("At its last look PhotoSync found all as it should be.", "Look again later."),
}


def of_run(status: str, reason: str) -> Words:
    """The words for a run that did not end in `synced`."""
    return (
        ROWS.get((status, reason))
        or ROWS.get((status, ""))
        or _OF_STATUS.get(status)
        or ROWS[SKIPPED, ""]
    )
