"""Translates Microsoft Graph's error responses (facts: graph.md section 4)."""

from __future__ import annotations

import json

from shared.errors import NoMailbox, NoPhoto, PhotoSyncError, Refused, UnknownUser
from shared.microsoft365.reply import Reply, fault

# Codes known to mean that the mailbox exists and has no photo (graph.md section 4). Only these
# remove a picture: any other 404 may be a mailbox that is temporarily unavailable.
_NO_PHOTO = {"ImageNotFound", "ErrorEntityNotFound", "ErrorItemNotFound", "GetUserPhoto"}
# Statuses for a missing mailbox are undocumented; 400, 403 and 404 were reported (section 4).
_NO_MAILBOX = {
    "ErrorNonExistentMailbox",
    "MailboxNotHostedInExchangeOnline",
    "MailboxNotEnabledForRESTAPI",
    "ResourceNotFound",
}
_UNKNOWN_USER = {"Request_ResourceNotFound", "ErrorInvalidUser"}


def photo_fault(reply: Reply) -> PhotoSyncError:
    """The error that a failed photo request means."""
    code, message = code_and_message(reply)
    # AuthenticationError: our token is valid all the same (section 4, reported).
    if code in _NO_MAILBOX or (reply.status, code) == (400, "AuthenticationError"):
        return NoMailbox("The user has no mailbox in Exchange Online, so there is no photo.")
    if reply.status == 404 and code in _UNKNOWN_USER:
        return UnknownUser("Microsoft Graph has no such user.")
    if reply.status == 404 and code in _NO_PHOTO:
        return NoPhoto("The user has no photo in Exchange.")
    if reply.status == 404 and code:
        return Refused(
            f"Microsoft Graph answered 404 {code}. This code does not prove that the user has no "
            "photo, so the picture in SharePoint is kept."
        )
    return _fault(reply, code, message)


def is_of_one_mailbox(reply: Reply) -> bool:
    """
    Whether a 429 concerns one mailbox only, so that requests for others still succeed.

    Reported: alcionai/corso#3695, magodo/terraform-provider-outlook#21: ApplicationThrottled,
    "Application is over its MailboxConcurrency limit."
    """
    return reply.status == 429 and "mailboxconcurrency" in code_and_message(reply)[1].casefold()


def user_fault(reply: Reply) -> PhotoSyncError:
    """The error that a failed user request means."""
    code, message = code_and_message(reply)
    if reply.status == 404 and code:
        return UnknownUser("Microsoft Graph has no such user.")
    return _fault(reply, code, message)


def _fault(reply: Reply, code: str, message: str) -> PhotoSyncError:
    if reply.status == 404:
        # No code: a page from a proxy or another host must not count as a missing photo.
        return Refused("This 404 did not come from Microsoft Graph: check GRAPH_URL and proxies.")
    return fault(reply, code, message)


def code_and_message(reply: Reply) -> tuple[str, str]:
    """Code and message of an error body; empty if there is none."""
    try:
        error = json.loads(reply.body)["error"]
        return str(error["code"]), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
