"""
Every error PhotoSync raises on purpose, grouped by what happens to the message.

PhotoSyncError
|-- SettingsError     stop; a person must fix an app setting
|-- TryLater          a new message with a delay; this run succeeds
|   |-- Throttled     429 or 503: the service asks us to wait
|   |-- ServiceDown   5xx, a truncated or broken response
|   |   `-- Unanswered  timeout, lost connection, 502, 504: the request may still take effect
|   |-- ClaimHeld     another run is copying this user right now
|   |-- ClaimLost     our claim covers no write: another run has the user, or storage is slow
|   `-- Conflict      another writer changed this state blob first
|       |-- Archived  the blob is in the Archive tier
|       `-- Full      the blob is a log that takes no more lines
|-- Settled           nothing to copy and nothing wrong
|   |-- NoPhoto       the user has no photo in Exchange
|   |-- NoMailbox     no mailbox in Exchange Online
|   |-- UnknownUser   Microsoft Graph has no such user, or no longer has one
|   |   `-- UnknownId  and we have no state for this id
|   |-- OutOfScope    guest, disabled or excluded
|   |-- NoProfile     SharePoint has no profile for the user yet
|   |-- PictureKept   a person set another picture in SharePoint
|   |-- OtherHost     the user's personal site is on a host that is not the tenant's
|   `-- DryRun        DRY_RUN is on: nothing was written
`-- GiveUp            recorded as failed; a retry alone cannot help
    |-- BadMessage    the queue message cannot be parsed
    |-- BadRequest    an admin's request to the console cannot be parsed
    |   |-- KeyInAddress  an order had its key in the URL, as a link would
    |   |-- NotSignedIn   the caller is not identified
    |   `-- NotAllowed    the caller's role does not allow the request
    |-- AccessDenied  a role, consent or certificate is missing
    |-- PhotoRefused  the photo is not a valid image
    |   `-- PhotoTooLarge  it may be valid; a smaller rendition can be requested
    `-- Refused       an unexpected response
        |-- EndlessList         a list whose pages form a loop or do not end
        |-- SubscriptionGone    Graph has no subscription with this id
        `-- SubscriptionExists  this resource already has a subscription

`messages.disposition` decides what each branch means for the message. Foreign errors are translated
in
`microsoft365`, `graph.errors`, `sharepoint.errors`, `pictures` and `storage.blobs`.
"""

from __future__ import annotations

import re
from typing import ClassVar

LONGEST_SENTENCE = 500
# The URL that Graph calls contains our key. A service may quote it, and sentences are logged.
_KEY = re.compile(r"((?:[?&]|%3F|%26)(?:code|sig)(?:=|%3D))[^&%\s\"'<>]+", re.IGNORECASE)


class PhotoSyncError(Exception):
    """One sentence for an admin, and a short code for logs and the state."""

    code: ClassVar[str] = "error"

    def __init__(self, sentence: str) -> None:
        # The sentence may quote a service, and a log line must stay one line.
        printable = "".join(sign if sign.isprintable() else " " for sign in sentence)
        safe = _KEY.sub(r"\1…", " ".join(printable.split()))
        super().__init__(safe[:LONGEST_SENTENCE])


class SettingsError(PhotoSyncError):
    """App settings are missing or wrong; the sentence names all of them."""

    code = "settings"


class TryLater(PhotoSyncError):
    """
    The work can succeed later.

    `retry_after` is the seconds that the service asked for, None if it named none. `over_in` is the
    seconds after which the obstacle is certainly gone, None if unknown. `service` is what we wait
    for; a run that waits for another run waits for photosync.
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
    """The blob is in the Archive tier: it can be listed and deleted, not read or overwritten."""

    code = "archived"


class Full(Conflict):
    """This blob takes no more blocks; continue in another one."""

    code = "full"


class Settled(PhotoSyncError):
    """The user's state is final until something changes; `status` names it."""

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


class UnknownId(UnknownUser):
    """Anybody can make up an id; for this one there is no state to forget either."""

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
    """`existing_id` is the id of that subscription, empty if Graph does not name it."""

    code = "subscription-exists"

    def __init__(self, sentence: str, existing_id: str) -> None:
        super().__init__(sentence)
        self.existing_id = existing_id
