"""What Microsoft Graph means when it refuses (facts: graph.md section 4)."""

from __future__ import annotations

import json

from shared.errors import NoMailbox, NoPhoto, PhotoSyncError, Refused, UnknownUser
from shared.microsoft365.reply import Reply, fault

# Statuses for a missing mailbox are undocumented; 400 and 404 were reported (graph.md section 4).
_NO_MAILBOX = {
    "ErrorNonExistentMailbox",
    "MailboxNotHostedInExchangeOnline",
    "MailboxNotEnabledForRESTAPI",
}
_UNKNOWN_USER = {"Request_ResourceNotFound", "ErrorInvalidUser"}


def photo_fault(reply: Reply) -> PhotoSyncError:
    """What a refusal to show a photo means."""
    code, message = said(reply)
    if code in _NO_MAILBOX:
        return NoMailbox("The user has no mailbox in Exchange Online, so there is no photo.")
    if reply.status == 404 and code in _UNKNOWN_USER:
        return UnknownUser("Microsoft Graph knows no such user.")
    if reply.status == 404 and code:
        # Two codes have been seen and a third may come: the status decides (graph.md section 4).
        return NoPhoto("The user has no photo in Exchange.")
    return _fault(reply, code, message)


def user_fault(reply: Reply) -> PhotoSyncError:
    """What a refusal to show a user means."""
    code, message = said(reply)
    if reply.status == 404 and code:
        return UnknownUser("Microsoft Graph knows no such user.")
    return _fault(reply, code, message)


def _fault(reply: Reply, code: str, message: str) -> PhotoSyncError:
    if reply.status == 404 and not code:
        # A proxy's page, or another host's: it must not pass for a photo that is gone.
        return Refused("A 404 came that is not Microsoft Graph's: check GRAPH_URL and proxies.")
    return fault(reply, code, message)


def said(reply: Reply) -> tuple[str, str]:
    """Code and message of an error body; empty where there is none."""
    try:
        error = json.loads(reply.body)["error"]
        return str(error["code"]), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
