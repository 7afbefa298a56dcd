"""
Every error PhotoSync raises on purpose, grouped by what becomes of the message.

PhotoSyncError
|-- SettingsError     stop; a person must mend an app setting
|-- TryLater          a new message with a delay; this run succeeds
|   |-- Throttled     429 or 503: the service asks for patience
|   |-- ServiceDown   5xx, a cut or broken answer
|   |   `-- Unanswered  time-out, lost connection, 502, 504: it may be carried out yet
|   |-- ClaimHeld     another run is copying this user right now
|   |-- ClaimLost     our claim covers no write: another run has the user, or storage is slow
|   `-- Conflict      somebody else wrote this state blob first
|       |-- Archived  or it is in the Archive tier
|       `-- Full      or it is a log that takes no more lines
|-- Settled           nothing to copy and nothing wrong
|   |-- NoPhoto       the user has no photo in Exchange
|   |-- NoMailbox     no mailbox in Exchange Online
|   |-- UnknownUser   Microsoft Graph knows no such user, or no longer
|   |   `-- Nobody    and nothing is remembered of one
|   |-- OutOfScope    guest, disabled or excluded
|   |-- NoProfile     SharePoint has no profile for the user yet
|   |-- PictureKept   a person set another picture in SharePoint
|   |-- OtherHost     the user's personal site is on a host that is not ours
|   `-- DryRun        DRY_RUN is on: nothing was written
`-- GiveUp            recorded as failed; trying again alone cannot help
    |-- BadMessage    the queue message cannot be understood
    |-- BadRequest    what an admin asked the console for cannot be understood
    |   |-- KeyInAddress  an order came with its key in the address, as a link would
    |   |-- NotSignedIn   nobody knows who asks
    |   `-- NotAllowed    it is known who asks, and their role does not allow it
    |-- AccessDenied  a role, consent or certificate is missing
    |-- PhotoRefused  the photo is not a sound image
    |   `-- PhotoTooLarge  it may be one; a smaller rendition of it can be asked for
    `-- Refused       an answer that nobody foresaw
        |-- EndlessList         a list whose pages lead in a circle, or on and on
        |-- SubscriptionGone    Graph knows no subscription of this id
        `-- SubscriptionExists  there is one for this resource already

What each branch means for the message is decided in `messages.fates`. Foreign errors become one of
these in `microsoft365`, `graph.errors`, `sharepoint.errors`, `pictures` and `storage.blobs`.
"""

from __future__ import annotations

import re
from typing import ClassVar

LONGEST_SENTENCE = 500
# The address that Graph calls is our secret, and a service may quote it: sentences go to logs.
_KEY = re.compile(r"((?:[?&]|%3F|%26)(?:code|sig)(?:=|%3D))[^&%\s\"'<>]+", re.IGNORECASE)


class PhotoSyncError(Exception):
    """One sentence for an admin, and a short word that logs and the state keep."""

    code: ClassVar[str] = "error"

    def __init__(self, sentence: str) -> None:
        # It may quote a service, and a log line must stay one line.
        printable = "".join(sign if sign.isprintable() else " " for sign in sentence)
        told = _KEY.sub(r"\1…", " ".join(printable.split()))
        super().__init__(told[:LONGEST_SENTENCE])


class SettingsError(PhotoSyncError):
    """App settings are missing or wrong; the sentence names every one of them."""

    code = "settings"


class TryLater(PhotoSyncError):
    """
    The work can succeed later.

    `retry_after` is seconds that a service asked for, None when nobody said; after `over_in`
    seconds what is in the way is gone for certain, None when that is not known. `service` is who
    makes us wait; runs that wait for one another wait for photosync.
    """

    code = "later"

    def __init__(
        self,
        sentence: str,
        *,
        retry_after: float | None = None,
        over_in: float | None = None,
        service: str = "photosync",
    ) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.over_in = over_in
        self.service = service


class Throttled(TryLater):
    code = "throttled"


class ServiceDown(TryLater):
    code = "service-down"


class Unanswered(ServiceDown):
    code = "unanswered"


class ClaimHeld(TryLater):
    code = "claim-held"


class ClaimLost(TryLater):
    code = "claim-lost"


class Conflict(TryLater):
    code = "conflict"


class Archived(Conflict):
    """The blob is in the Archive tier: it can be listed and deleted, not read or written over."""

    code = "archived"


class Full(Conflict):
    """This blob takes no more blocks: another one must."""

    code = "full"


class Settled(PhotoSyncError):
    """The user's state is final until something changes; `status` says which one."""

    code = "settled"
    status: ClassVar[str] = "skipped"


class NoPhoto(Settled):
    code = "no-photo"
    status = "no-photo"


class NoMailbox(Settled):
    code = "no-mailbox"


class UnknownUser(Settled):
    code = "unknown-user"
    status = "left"


class Nobody(UnknownUser):
    """Anybody can make up an id: of this one there is nothing to forget either."""

    code = "nobody"
    status = "skipped"


class OutOfScope(Settled):
    code = "out-of-scope"


class NoProfile(Settled):
    code = "no-profile"


class PictureKept(Settled):
    code = "picture-kept"


class OtherHost(Settled):
    code = "other-host"


class DryRun(Settled):
    code = "dry-run"


class GiveUp(PhotoSyncError):
    """Recorded as failed with this sentence; the message is done."""

    code = "failed"
    status: ClassVar[str] = "failed"


class BadMessage(GiveUp):
    code = "bad-message"


class BadRequest(GiveUp):
    code = "bad-request"


class KeyInAddress(BadRequest):
    code = "key-in-address"


class NotSignedIn(BadRequest):
    code = "not-signed-in"


class NotAllowed(BadRequest):
    code = "not-allowed"


class AccessDenied(GiveUp):
    code = "access-denied"


class PhotoRefused(GiveUp):
    code = "photo-refused"


class PhotoTooLarge(PhotoRefused):
    code = "photo-too-large"


class Refused(GiveUp):
    code = "refused"


class EndlessList(Refused):
    code = "endless-list"


class SubscriptionGone(Refused):
    code = "subscription-gone"


class SubscriptionExists(Refused):
    """`existing_id` is its id, empty when Graph does not name it."""

    code = "subscription-exists"

    def __init__(self, sentence: str, existing_id: str) -> None:
        super().__init__(sentence)
        self.existing_id = existing_id
