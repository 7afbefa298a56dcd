"""
What Microsoft Graph posts to the webhook: the handshake and the notifications.

Pure: text in, answer and messages out. It must answer within Graph's three seconds and imports
nothing heavy (facts: graph.md sections 2 and 3).
"""

from __future__ import annotations

import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.messages.sync_message import NOTIFICATION, SyncMessage
from shared.messages.upkeep_message import (
    BUNDLE,
    LIFECYCLE,
    LIFECYCLE_EVENTS,
    USERS_A_BUNDLE,
    UpkeepMessage,
)
from shared.settings.webhook import WebhookSettings
from shared.user import is_object_id

# Graph's tokens have some hundred characters; a longer one is not from Graph.
TOKEN_LIMIT = 4096
BODY_LIMIT = 1024 * 1024
# Why everything is ignored: without a clientState, forged notifications look genuine.
NO_CLIENT_STATE = "no-client-state-set"
# Our clientState with another tenant: TENANT_ID is wrong, or somebody knows our secret.
FOREIGN_TENANT = "tenant"
# Graph's ids are GUIDs. A queue message holds 64 KB: a longer id would fail the whole POST.
SUBSCRIPTION_ID_LIMIT = 128
# Up to this many users of one POST get a message each on `photo-sync`, which an admin can read. The
# host stores messages one by one before it answers, and Graph waits three seconds, then ten
# (section 3). So the users of a larger POST are named together, in bundles on `photo-upkeep`.
ONE_BY_ONE = 8
# An app registration has one subscription for users; of a few more, the last events may come late.
EVENTS_LIMIT = 10

_USER = re.compile(r"/?users(?:/(?P<path>[^/()]+)|\('(?P<key>[^/()]+)'\))?", re.IGNORECASE)
_USER_TYPE = "#microsoft.graph.user"


@dataclass(frozen=True)
class Answer:
    """The webhook's answer."""

    status: int
    text: str = ""


@dataclass
class Accepted:
    """
    The result of one POST: texts for the two queues, and how many items were ignored and why.

    `users` is how many users it named, `events` how many lifecycle events.
    """

    users: int
    events: int
    ignored: Counter[str]
    sync: list[str] = field(default_factory=list)
    upkeep: list[str] = field(default_factory=list)


@dataclass
class _Found:
    """The users and the lifecycle events of one POST, each once, in order."""

    users: dict[str, None] = field(default_factory=dict)
    events: dict[tuple[str, str], None] = field(default_factory=dict)

    def add_event(self, event: str, subscription: Any) -> bool:
        """Add an event of *subscription*; False if it is invalid, or one too many."""
        if not isinstance(subscription, str) or len(subscription) > SUBSCRIPTION_ID_LIMIT:
            return False
        if (event, subscription) not in self.events and len(self.events) == EVENTS_LIMIT:
            return False
        self.events[event, subscription] = None
        return True


def handshake(token: str) -> Answer:
    """
    The answer to a validation request: *token*, already URL-decoded, as plain text.

    Graph accepts only 200 with text/plain and exactly the token (section 2, documented).
    """
    try:
        size = len(token.encode())
    except UnicodeEncodeError:  # a lone surrogate cannot be sent back
        return Answer(400, "validationToken is not text.")
    if size > TOKEN_LIMIT:
        return Answer(400, f"validationToken is longer than {TOKEN_LIMIT} bytes.")
    return Answer(200, token)


def accept(
    body: bytes,
    expected: WebhookSettings,
    *,
    now: datetime,
    new_id: Callable[[], str],
) -> Accepted | Answer:
    """
    Sort the items of one POST; returns an Answer if *body* is not a collection of them.

    Whether an item is genuine shows only in what was accepted, never in the answer: a stranger
    learns nothing (section 3).
    """
    if len(body) > BODY_LIMIT:
        return Answer(413, f"The body is larger than {BODY_LIMIT} bytes.")
    items = _items(body)
    if items is None:
        return Answer(400, 'The body must be JSON with a list named "value".')
    ignored, found = Counter[str](), _Found()
    for item in items:
        why = _why_foreign(item, expected) or _take(item, found)
        if why:
            ignored[why] += 1
    ids = list(found.users)
    accepted = Accepted(len(ids), len(found.events), ignored)
    if len(ids) <= ONE_BY_ONE:
        accepted.sync += [
            SyncMessage(each, NOTIFICATION, False, 1, now, new_id()).to_json() for each in ids
        ]
    else:
        accepted.upkeep += [bundle.to_json() for bundle in _bundles(ids, now, new_id)]
    for event, subscription in found.events:
        message = UpkeepMessage(
            LIFECYCLE, event=event, subscription_id=subscription, first_queued_at=now
        )
        accepted.upkeep.append(message.to_json())
    return accepted


def _bundles(
    user_ids: Sequence[str], now: datetime, new_id: Callable[[], str]
) -> Iterator[UpkeepMessage]:
    for start in range(0, len(user_ids), USERS_A_BUNDLE):
        named = tuple(user_ids[start : start + USERS_A_BUNDLE])
        yield UpkeepMessage(BUNDLE, user_ids=named, correlation_id=new_id(), first_queued_at=now)


def _items(body: bytes) -> list[Any] | None:
    try:
        collection = json.loads(body)
    # Deep nesting exhausts the parser's stack.
    except (ValueError, RecursionError):
        return None
    items = collection.get("value") if isinstance(collection, dict) else None
    return items if isinstance(items, list) else None


def _why_foreign(item: Any, expected: WebhookSettings) -> str:
    """Why *item* is not ours, in one word for the log; empty if it is."""
    if not isinstance(item, Mapping):
        return "not-an-object"
    if not expected.client_state:
        return NO_CLIENT_STATE
    state = item.get("clientState")
    if not isinstance(state, str) or not hmac.compare_digest(
        _bytes(state), _bytes(expected.client_state)
    ):
        return "client-state"
    tenant = item.get("tenantId")
    # The field is optional, and our setting may be wrong: then clientState alone decides, so that
    # no genuine item is lost.
    if tenant is None or not is_object_id(expected.tenant_id):
        return ""
    ours = isinstance(tenant, str) and tenant.casefold() == expected.tenant_id.casefold()
    return "" if ours else FOREIGN_TENANT


def _bytes(text: str) -> bytes:
    """For comparison: a setting, or JSON, may contain what no encoding accepts."""
    return text.encode("utf-8", "surrogatepass")


def _take(item: Mapping[str, Any], found: _Found) -> str:
    """Accept an item of ours; if it needs nothing, return why, in one word for the log."""
    if item.get("lifecycleEvent") is not None:
        return _take_lifecycle(item, found)
    user_id = _user_id(item)
    if not user_id:
        return "not-a-user"
    found.users[user_id] = None
    return ""


def _take_lifecycle(item: Mapping[str, Any], found: _Found) -> str:
    event = item["lifecycleEvent"]
    if event not in LIFECYCLE_EVENTS or not found.add_event(event, item.get("subscriptionId")):
        return "unknown-lifecycle"
    return ""


def _user_id(item: Mapping[str, Any]) -> str:
    """The object id of the user an item is about; empty if it is about something else."""
    data = item.get("resourceData")
    data = data if isinstance(data, Mapping) else {}
    # Both fields say what the item is about. One may be missing, but they must not disagree.
    resource = item.get("resource") or ("users" if data.get("@odata.type") else "")
    kind = data.get("@odata.type") or _USER_TYPE
    if not isinstance(resource, str) or not isinstance(kind, str) or kind.lower() != _USER_TYPE:
        return ""
    found = _USER.fullmatch(resource)
    if not found:
        return ""
    for candidate in (data.get("id"), found["path"], found["key"]):
        if isinstance(candidate, str) and is_object_id(candidate):
            return candidate.lower()
    return ""
