"""Messages of queue photo-upkeep: what is parsed, and what is refused."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadMessage
from shared.messages import upkeep_message
from shared.messages.upkeep_message import (
    AUDIT,
    AUDIT_PAGE,
    BUNDLE,
    FILL,
    KINDS,
    LIFECYCLE,
    REMOVALS,
    RENEW,
    REPAIRS,
    SWEEP,
    SWEEP_PAGE,
    UNINSTALL,
    UpkeepMessage,
)
from tests.doubles.office import ANNE, NOON

OTHER_ID = "4e1a1f5d-0000-4000-8000-00000000000a"


def parse(body: bytes) -> UpkeepMessage:
    return upkeep_message.parse(body, now=NOON)


SAMPLES = [
    UpkeepMessage(RENEW),
    UpkeepMessage(SWEEP, attempt=3, first_queued_at=NOON),
    UpkeepMessage(SWEEP_PAGE, sweep_id="20260131T120000-1a2b3c4d", page=7),
    UpkeepMessage(REMOVALS, sweep_id="20260131T120000-1a2b3c4d"),
    UpkeepMessage(FILL, sweep_id="20260131T120000-1a2b3c4d", page=7),
    UpkeepMessage(LIFECYCLE, event="missed", subscription_id="subscription-1"),
    UpkeepMessage(AUDIT),
    UpkeepMessage(AUDIT_PAGE, audit_id="20260131T120000-1a2b3c4d", page=7),
    UpkeepMessage(REPAIRS, audit_id="20260131T120000-1a2b3c4d"),
    UpkeepMessage(UNINSTALL, uninstall_id="20260131T120000-1a2b3c4d", page=7),
    UpkeepMessage(BUNDLE, user_ids=(ANNE.id, OTHER_ID), correlation_id="c-1"),
]


TYPED = ["sweep", "renew", "audit", '{"kind": "sweep"}', '{"kind": "renew", "page": null}']


@pytest.mark.parametrize("text", TYPED)
def test_typed_by_hand(text: str):
    """A word or JSON, with what an editor adds to it, or in base64 as some tools send it."""
    typed = parse(text.encode())

    assert typed.kind in text
    for body in (
        f" {text}\r\n".encode(),
        f"\ufeff{text}".encode(),
        base64.b64encode(text.encode()),
    ):
        assert parse(body) == typed


@pytest.mark.parametrize("message", SAMPLES, ids=[each.kind for each in SAMPLES])
def test_written_and_read(message):
    """A message is read as it was written."""
    assert parse(message.to_json().encode()) == message


def test_every_kind_has_a_sample():
    """No kind is missing above."""
    assert {each.kind for each in SAMPLES} == set(KINDS)


BAD = {
    "nothing": b"",
    "another word": b"Renew now",
    "not text": b"\xff\xfe",
    "number": b"7",
    "list": b"[]",
    "deep": b"[" * 200_000,
    "no kind": b"{}",
    "a list for a kind": b'{"kind": ["renew"]}',
    "page of no sweep": b'{"kind": "sweep-page", "page": 1}',
    "removals of no sweep": b'{"kind": "removals"}',
    "page of no audit": b'{"kind": "audit-page", "page": 1}',
    "audit beside a sweep": b'{"kind": "sweep-page", "sweepId": "a", "auditId": "a", "page": 1}',
    "repairs of an id that leads elsewhere": b'{"kind": "repairs", "auditId": "../users/x"}',
    "id that leads elsewhere": b'{"kind": "sweep-page", "sweepId": "../users/x"}',
    "id where none belongs": b'{"kind": "renew", "sweepId": "abc"}',
    "page in a text": b'{"kind": "sweep-page", "sweepId": "a", "page": "7"}',
    "attempt beyond reckoning": b'{"kind": "renew", "attempt": 100000000000}',
    "id of other letters": '{"kind": "removals", "sweepId": "\u00e4"}'.encode(),
    "time that is none": b'{"kind": "renew", "firstQueuedAt": "soon"}',
    "lifecycle without event": b'{"kind": "lifecycle"}',
    "unknown event": b'{"kind": "lifecycle", "lifecycleEvent": "bored"}',
    "uninstall of no order": b'{"kind": "uninstall", "page": 1}',
    "order that leads elsewhere": b'{"kind": "uninstall", "uninstallId": "../users/x"}',
    "order where none belongs": b'{"kind": "renew", "uninstallId": "abc"}',
    "event where none belongs": b'{"kind": "renew", "lifecycleEvent": "missed"}',
    "users where none belong": b'{"kind": "renew", "userIds": ["anne"]}',
    "users of no kind": b'{"userIds": ["anne"]}',
    "odd correlation id": b'{"kind": "renew", "correlationId": "a b"}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_bad_message(body):
    """Anything else is a bad message, and the sentence says what to type."""
    with pytest.raises(BadMessage, match="Type renew, sweep or audit"):
        parse(body)


def test_kind_of_a_newer_version():
    """After a rollback the sentence says what may have happened, and what to do."""
    with pytest.raises(BadMessage, match="If a newer version wrote it, type it into photo-upkeep"):
        parse(b'{"kind": "tidy", "tidyId": "20310101T000000-1"}')


@pytest.mark.parametrize(
    "users",
    [None, [], {}, "anne", ANNE.id, [ANNE.id, "anne@contoso.com"], [ANNE.id, None], [[ANNE.id]]],
    ids=str,
)
def test_bundle_without_users(users):
    """A bundle without a list of object ids is bad as a whole; the sentence says what to do."""
    body = json.dumps({"kind": "bundle", "userIds": users}).encode()

    with pytest.raises(BadMessage, match="Type users one by one into photo-sync"):
        parse(body)


def test_bundle_names_each_user_once():
    """Object ids are compared in lower case."""
    body = json.dumps({"kind": "bundle", "userIds": [ANNE.id.upper(), OTHER_ID, ANNE.id]}).encode()

    assert parse(body).user_ids == (ANNE.id, OTHER_ID)


@given(
    st.binary()
    | st.dictionaries(
        st.sampled_from(["kind", "sweepId", "page", "attempt", "firstQueuedAt", "lifecycleEvent"]),
        st.sampled_from(KINDS)
        | st.integers()
        | st.text("az09-/. {", max_size=8)
        | st.none()
        | st.lists(st.none()),
    ).map(lambda fields: json.dumps(fields).encode())
)
def test_any_bytes(body):
    """Any bytes are a message or a BadMessage."""
    try:
        message = parse(body)
    except BadMessage:
        return
    assert message.kind in KINDS
    assert message.attempt >= 1


def test_first_queued_in_the_future():
    """A time in the future counts as now: it must not delay the end of the waiting."""
    body = b'{"kind": "renew", "firstQueuedAt": "9998-01-01T00:00:00Z"}'

    assert parse(body).first_queued_at == NOON


def test_again():
    """A message that waits keeps its first time, and counts its attempts."""
    first = UpkeepMessage(RENEW).again(NOON)
    second = first.again(NOON + timedelta(hours=1))

    assert (second.attempt, second.first_queued_at) == (3, NOON)
