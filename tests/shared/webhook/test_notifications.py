"""What anybody may post to the webhook: handshakes, bodies, and forged items."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.settings.webhook import WebhookSettings
from shared.webhook.notifications import Accepted, Answer, handshake
from tests.shared.webhook.notifying import (
    ID,
    OTHER_ID,
    STATE,
    TENANT,
    item,
    lifecycle,
    post,
    post_body,
    users,
    without,
)

# The handshake


@pytest.mark.parametrize(
    "token",
    [
        f"Validation: Testing client application reachability for subscription Request-Id: {ID}",
        "<script>alert(1)</script>",
        "",
        "é" * 2048,
    ],
    ids=["observed", "markup", "empty", "largest"],
)
def test_handshake_returns_the_token(token):
    """The answer to a handshake is 200 with exactly the token."""
    assert handshake(token) == Answer(200, token)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("x" * 4097, "is longer than 4096 bytes."),
        ("é" * 2048 + "x", "is longer than 4096 bytes."),
        ("\ud800", "is not text."),
    ],
    ids=["long", "long in bytes", "lone surrogate"],
)
def test_handshake_refuses_what_graph_never_sends(token, why):
    """A token over 4 KB, or one that cannot be sent back, gets 400 and is not repeated."""
    assert handshake(token) == Answer(400, f"validationToken {why}")


# The body as a whole


def test_body_limit():
    """A body of 1 MiB is read; one byte more gets 413."""
    room = 1024 * 1024 - len(json.dumps({"value": [], "pad": ""}))
    largest = json.dumps({"value": [], "pad": "x" * room}).encode()

    assert isinstance(post_body(largest), Accepted)
    assert post_body(largest + b" ") == Answer(413, "The body is larger than 1048576 bytes.")


MALFORMED = {
    "nothing": b"",
    "not JSON": b"value",
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "no value": b"{}",
    "value is no list": b'{"value": {}}',
    "deep nesting": b"[" * 500_000,
    "deep nesting in an item": b'{"value": [' + b'{"a":' * 150_000 + b"]}",
    "a huge number": b'{"value": [' + b"9" * 100_000 + b"]}",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_body(body):
    """A body that is not a collection of items gets 400 with one sentence."""
    assert post_body(body) == Answer(400, 'The body must be JSON with a list named "value".')


# Which items are accepted


FOREIGN = {
    "wrong clientState": (item(clientState="guess"), "client-state"),
    "clientState in capitals": (item(clientState=STATE.upper()), "client-state"),
    "clientState with more": (item(clientState=STATE + " "), "client-state"),
    "empty clientState": (item(clientState=""), "client-state"),
    "null clientState": (item(clientState=None), "client-state"),
    "missing clientState": (without("clientState"), "client-state"),
    "clientState of another type": (item(clientState=[STATE]), "client-state"),
    "clientState beyond ASCII": (item(clientState="é\ud800"), "client-state"),
    "foreign tenant": (item(tenantId=OTHER_ID), "tenant"),
    "tenant of another type": (item(tenantId=[TENANT]), "tenant"),
    "lifecycle, wrong clientState": (lifecycle(clientState="guess"), "client-state"),
    "lifecycle, foreign tenant": (lifecycle(tenantId=OTHER_ID), "tenant"),
    "text": ("updated", "not-an-object"),
    "null": (None, "not-an-object"),
    "list": ([item()], "not-an-object"),
}


@pytest.mark.parametrize(("foreign", "why"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_item_is_ignored_and_counted(foreign, why):
    """An item that is not ours yields no message and is counted by its reason."""
    accepted = post(foreign)

    assert (accepted.sync, accepted.upkeep) == ([], [])
    assert accepted.ignored == {why: 1}


@pytest.mark.parametrize(
    ("fields", "tenant", "state"),
    [
        ({"tenantId": TENANT.upper()}, TENANT, STATE),
        ({"tenantId": None}, TENANT, STATE),
        ({}, "", STATE),
        ({}, "contoso.onmicrosoft.com", STATE),
        ({"clientState": "\udcff"}, TENANT, "\udcff"),
    ],
    ids=["capitals", "null", "no TENANT_ID", "TENANT_ID is no GUID", "no encoding"],
)
def test_genuine_item(fields, tenant, state):
    """The tenant has no case; without one, or without a usable TENANT_ID, clientState decides."""
    assert users(post(item(**fields), expected=WebhookSettings(tenant, state))) == [ID]


@pytest.mark.parametrize("state", ["", None, STATE], ids=["empty", "null", "some"])
def test_unset_client_state_rejects_everything(state):
    """Without CLIENT_STATE no item is accepted, not even one with an empty clientState."""
    accepted = post(item(clientState=state), expected=WebhookSettings(TENANT, ""))

    assert accepted.sync == []
    assert accepted.ignored == {"no-client-state-set": 1}


# Anything


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELD_VALUES = NESTED | st.sampled_from([STATE, TENANT, ID, f"users/{ID}", "missed", {"id": ID}])
ITEMS = NESTED | st.dictionaries(
    st.sampled_from([*item(), "lifecycleEvent"]), FIELD_VALUES, max_size=8
).map(lambda fields: item(**fields))


def is_ours(notification: Any) -> bool:
    return isinstance(notification, dict) and notification.get("clientState") == STATE


@given(st.lists(ITEMS, max_size=5))
def test_any_items_are_accepted_or_counted(items):
    """No item raises an error; each is counted or queued, in a small message."""
    accepted = post(*items)

    assert sum(accepted.ignored.values()) <= len(items)
    assert len(accepted.sync) + len(accepted.upkeep) <= len(items)
    assert all(len(message) < 48 * 1024 for message in accepted.sync + accepted.upkeep)


@given(st.lists(ITEMS.filter(lambda notification: not is_ours(notification)), max_size=5))
def test_no_message_without_the_client_state(items):
    """No item without the right clientState ever becomes a message."""
    accepted = post(*items)

    assert (accepted.sync, accepted.upkeep) == ([], [])
    assert sum(accepted.ignored.values()) == len(items)


@given(
    st.binary()
    | NESTED.map(json.dumps).map(str.encode)
    | NESTED.map(lambda value: json.dumps({"value": value}).encode("utf-16"))
)
@example(b'{"value": [{"clientState": "\\ud800"}]}')
@example(b'{"value": [NaN, Infinity, -1e999]}')
def test_any_body_is_answered(body):
    """Any bytes are accepted without a message, or get 400."""
    answered = post_body(body)

    if isinstance(answered, Answer):
        assert answered.status == 400
    else:
        assert (answered.sync, answered.upkeep) == ([], [])
