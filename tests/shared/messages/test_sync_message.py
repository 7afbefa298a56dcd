"""Messages of queue photo-sync: every way to type one, and what is refused."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import BadMessage
from shared.messages.sync_message import REASONS, REMOVAL, UNINSTALL, SyncMessage, parse
from tests.doubles.web import NOON

UPN = "anne@contoso.com"
ID = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
JSON = json.dumps({"userId": UPN})


def read(body: bytes | str) -> SyncMessage:
    body = body.encode() if isinstance(body, str) else body
    return parse(body, now=NOON, correlation_id="new-id")


def with_field(name: str, value: object) -> str:
    return json.dumps({"userId": UPN, name: value})


TYPED = {
    "UPN": (UPN, UPN),
    "UPN with an apostrophe": ("anne.o'brien+x@contoso.com", "anne.o'brien+x@contoso.com"),
    "UPN of a guest": ("bert_x.com#EXT#@contoso.com", "bert_x.com#EXT#@contoso.com"),
    "object id": (ID, ID),
    "object id in capitals": (ID.upper(), ID),
    "JSON": (JSON, UPN),
    "JSON without a space": (f'{{"userId":"{UPN}"}}', UPN),
    "JSON over several lines": (json.dumps({"userId": ID}, indent=2), ID),
    "spaces inside JSON": (json.dumps({"userId": f" {UPN} "}), UPN),
    "UPN in quotation marks": (f'"{UPN}"', UPN),
    "object id in quotation marks": (f'"{ID}"', ID),
    "white space around": (f"\r\n\t {UPN} \n", UPN),
    "byte order mark": (f"\ufeff{JSON}", UPN),
    "unknown fields": (json.dumps({"userId": UPN, "note": [1]}), UPN),
}


@pytest.mark.parametrize(("text", "user"), TYPED.values(), ids=TYPED)
@pytest.mark.parametrize(
    "encode", [bytes, base64.b64encode, base64.encodebytes], ids=["plain", "base64", "lines"]
)
def test_every_way_to_type_a_user(encode, text, user):
    """A UPN or an object id, bare, quoted or as JSON; some tools encode it in base64."""
    assert read(encode(text.encode())).user_id == user


def test_typed_user_is_a_replay():
    """A message with only a user is a first try, now, without force."""
    assert read(UPN) == SyncMessage(UPN, "replay", False, 1, NOON, "new-id")


def test_replacing_a_chosen_picture():
    """A person may type `replace`; it stays through every wait, and is written only if set."""
    typed = read(with_field("replace", True))

    assert typed.replace_chosen
    assert read(typed.again().again(force=True).to_json()).replace_chosen
    assert "replace" not in json.loads(read(with_field("replace", False)).to_json())


def test_removal_replaces_nothing():
    """A removal never replaces a picture that a person chose."""
    fields = {"userId": ID, "reason": "removal", "sweepId": "s-1", "replace": True}

    with pytest.raises(BadMessage, match="A removal cannot replace a picture"):
        read(json.dumps(fields))


NOT_A_MESSAGE = {
    "nothing": b"",
    "a word": b"anne",
    "an object id cut off": ID[:-1].encode(),
    "two users": b"anne@contoso.com bert@contoso.com",
    "two signs": b"anne@@contoso.com",
    "a path": b"anne@contoso.com/photo",
    "an escape": b"anne@contoso.com%2Fphoto",
    "not UTF-8": b"\xff\xfe{",
    "cut JSON": b'{"userId": "anne@contoso.com"',
    "a list": b'["anne@contoso.com"]',
    "deep JSON": b'{"a":' * 100_000,
    "quoted nonsense": b'"anne"',
    "an address that cannot be sent": b'"\\ud800@contoso.com"',
    "base64 of nonsense": base64.b64encode(b"anne"),
    "base64 of no text": base64.b64encode(b"\xff\xfe\xfd"),
    "base64 of base64": base64.b64encode(base64.b64encode(UPN.encode())),
    "no userId": b'{"force": true}',
    "userId is no text": b'{"userId": 7}',
    "userId is null": b'{"userId": null}',
    "a long address": b"a" * 129 + b"@contoso.com",
}


@pytest.mark.parametrize("body", NOT_A_MESSAGE.values(), ids=NOT_A_MESSAGE)
def test_no_message(body):
    """A body that names no user is refused, with a sentence that says what to type."""
    with pytest.raises(BadMessage, match="Type a user principal name such as"):
        read(body)


@pytest.mark.parametrize("body", [b"sweep", b" Renew\n", base64.b64encode(b"sweep")])
def test_order_for_the_other_queue(body):
    """A word for the other queue is refused with that queue's name."""
    with pytest.raises(BadMessage, match="type it into photo-upkeep"):
        read(body)


BAD_FIELDS = [
    ("reason", "because"),
    ("reason", ["sweep"]),
    ("force", "true"),
    ("force", 1),
    ("replace", None),
    ("attempt", 0),
    ("attempt", 1_000_001),
    ("attempt", 1.5),
    ("attempt", True),
    ("firstQueuedAt", "yesterday"),
    ("firstQueuedAt", 1772452800),
    ("firstQueuedAt", "0001-01-01T00:00:00+14:00"),
    ("firstQueuedAt", "9999-12-31T23:59:59-14:00"),
    ("correlationId", ""),
    ("correlationId", "a b=c"),
    ("correlationId", "a\n"),
    ("correlationId", "x" * 65),
    ("correlationId", 5),
]


@pytest.mark.parametrize(
    ("name", "value"), BAD_FIELDS, ids=[f"{n}={v!r:.20}" for n, v in BAD_FIELDS]
)
def test_bad_field_is_named(name, value):
    """An invalid field is refused by its name, not interpreted."""
    with pytest.raises(BadMessage, match=f"^{name} must be"):
        read(with_field(name, value))


TIMES = {
    "with a zone": "2026-03-02T14:00:00+02:00",
    "Zulu": "2026-03-02T12:00:00Z",
    "without a zone": "2026-03-02T12:00:00",
    "null": None,
    "in the future": (NOON + timedelta(days=400)).isoformat(),
}


@pytest.mark.parametrize("text", TIMES.values(), ids=TIMES)
def test_first_queued_at(text):
    """A time without a zone is UTC; no time, or one in the future, means now."""
    first = read(with_field("firstQueuedAt", text)).first_queued_at

    assert (first, first.tzinfo) == (NOON, UTC)


def test_again_counts_the_attempt_and_nothing_else():
    """The message after a wait is the same, one attempt later."""
    message = SyncMessage(ID, "sweep", True, 3, NOON - timedelta(hours=1), "c-1")

    assert message.again() == SyncMessage(ID, "sweep", True, 4, message.first_queued_at, "c-1")


@pytest.mark.parametrize(
    "id_",
    [None, "", 7, "../users/x", "a" * 65, "s\n"],
    ids=["none", "empty", "number", "path", "long", "line break"],
)
@pytest.mark.parametrize(
    ("reason", "field", "sentence"),
    [
        ("removal", "sweepId", "^Only a sweep can order a removal"),
        ("uninstall", "uninstallId", "^Only an uninstall can remove .* manage.py uninstall"),
    ],
)
def test_removal_is_not_typed(reason, field, sentence, id_):
    """Only a sweep, after its brake, and an uninstall remove pictures, by their ids."""
    with pytest.raises(BadMessage, match=sentence):
        read(json.dumps({"userId": ID, "reason": reason, field: id_}))


@pytest.mark.parametrize(
    ("reason", "field"), [(REMOVAL, "sweep_id"), (UNINSTALL, "uninstall_id")], ids=str
)
def test_removal(reason, field):
    """A removal by a sweep or an uninstall is read as written, and stays one after a wait."""
    ids: dict[str, Any] = {field: "20260131T120000-1a2b3c4d"}
    message = SyncMessage(ID, reason, False, 1, NOON, "c-1", **ids)

    assert read(message.to_json()) == message
    assert read(message.again().to_json()) == message.again()


def test_reasons_a_person_may_type():
    """The sentence about a bad reason names the reasons to type, and no removal."""
    with pytest.raises(BadMessage, match="one of notification, sweep, replay, audit; leave"):
        read(with_field("reason", "because"))


MESSAGES = st.builds(
    SyncMessage,
    user_id=st.just(UPN) | st.uuids().map(str),
    reason=st.sampled_from(REASONS),
    force=st.booleans(),
    attempt=st.integers(1, 1_000_000),
    # Hypothesis takes limits without a zone only.
    first_queued_at=st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)).map(  # noqa: DTZ001
        lambda moment: moment.replace(tzinfo=UTC)
    ),
    correlation_id=st.uuids().map(str),
    replace_chosen=st.booleans(),
)


@given(MESSAGES)
def test_message_is_read_as_written(message):
    """What the app queues, it reads back unchanged."""
    assert read(message.to_json()) == message


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "userId": st.just(UPN) | NESTED,
        "reason": st.sampled_from((*REASONS, REMOVAL, UNINSTALL)) | NESTED,
        "sweepId": st.just("s-1") | NESTED,
        "uninstallId": st.just("u-1") | NESTED,
        "force": NESTED,
        "replace": st.booleans() | NESTED,
        "attempt": NESTED,
        "firstQueuedAt": NESTED,
        "correlationId": NESTED,
    },
)
BODIES = (
    st.binary()
    | st.text().map(str.encode)
    | FIELDS.map(json.dumps).map(str.encode)
    | FIELDS.map(json.dumps).map(str.encode).map(base64.b64encode)
)


@given(BODIES)
@example(b'{"attempt":' + b"9" * 5000 + b"}")
@example(b"\xef\xbb\xbf\xef\xbb\xbfanne@contoso.com")
def test_any_bytes_are_a_message_or_a_bad_one(body):
    """Any bytes are a BadMessage, or a message that can be queued and sent."""
    try:
        message = read(body)
    except BadMessage:
        return
    assert read(message.to_json()) == message
    assert message.user_id.encode()
