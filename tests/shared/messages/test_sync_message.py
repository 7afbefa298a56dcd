"""Queue photo-sync: every way to type a message, and what is no message."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import BadMessage
from shared.messages.sync_message import REASONS, REMOVAL, UNINSTALL, SyncMessage, parse
from shared.user import is_object_id
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
def test_every_way_to_type_a_user(text, user):
    """A person may type a UPN or an object id, bare, in quotation marks or as JSON."""
    assert read(text).user_id == user


@pytest.mark.parametrize(("text", "user"), TYPED.values(), ids=TYPED)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.encodebytes], ids=["flat", "lines"])
def test_base64_of_every_way(encode, text, user):
    """What tools put into the queue as base64 is understood as if it were typed."""
    assert read(encode(text.encode())).user_id == user


def test_typed_user_is_a_replay():
    """A message that says no more than a user is a first try, now, without force."""
    assert read(UPN) == SyncMessage(UPN, "replay", False, 1, NOON, "new-id")


def test_replacing_a_chosen_picture():
    """A person may type it; it outlasts every wait, and is written only where it is meant."""
    typed = read(with_field("replace", True))

    assert typed.replace_chosen
    assert read(typed.again().again(force=True).to_json()).replace_chosen
    assert "replace" not in json.loads(read(with_field("replace", False)).to_json())


def test_removal_replaces_nothing():
    """What takes a picture away never takes the place of one that a person chose."""
    fields = {"userId": ID, "reason": "removal", "sweepId": "s-1", "replace": True}

    with pytest.raises(BadMessage, match="A removal cannot replace a picture"):
        read(json.dumps(fields))


NOT_A_MESSAGE = {
    "nothing": b"",
    "white space": b" \n",
    "a word": b"anne",
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
def test_what_is_no_message(body):
    """What names no user is refused, with a sentence that says what to type."""
    with pytest.raises(BadMessage, match="Type a user principal name such as"):
        read(body)


@pytest.mark.parametrize("body", [b"sweep", b" Renew\n", base64.b64encode(b"sweep")])
def test_order_for_the_other_queue(body):
    """What belongs into the queue beside this one is refused with that queue's name."""
    with pytest.raises(BadMessage, match="type it into photo-upkeep"):
        read(body)


BAD_FIELDS = [
    ("reason", "because"),
    ("reason", ["sweep"]),
    ("force", "true"),
    ("force", 1),
    ("replace", "true"),
    ("replace", 1),
    ("replace", None),
    ("attempt", 0),
    ("attempt", 1_000_001),
    ("attempt", 1.5),
    ("attempt", True),
    ("attempt", "2"),
    ("firstQueuedAt", "yesterday"),
    ("firstQueuedAt", 1772452800),
    ("firstQueuedAt", "0001-01-01T00:00:00+14:00"),
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
    """A field that cannot be meant is refused by its name, not guessed at."""
    with pytest.raises(BadMessage, match=f"^{name} must be"):
        read(with_field(name, value))


TIMES = {
    "with a zone": "2026-03-02T14:00:00+02:00",
    "Zulu": "2026-03-02T12:00:00Z",
    "without a zone": "2026-03-02T12:00:00",
}


@pytest.mark.parametrize("text", TIMES.values(), ids=TIMES)
def test_time_is_utc(text):
    """A time is converted to UTC, and is UTC where it names no zone."""
    assert read(with_field("firstQueuedAt", text)).first_queued_at == NOON
    assert read(with_field("firstQueuedAt", text)).first_queued_at.tzinfo is UTC


def test_null_time_means_now():
    """A firstQueuedAt of null is as good as none."""
    assert read(with_field("firstQueuedAt", None)).first_queued_at == NOON


def test_first_queued_in_the_future():
    """A time to come counts as now, so that it does not put off giving up."""
    read_now = read(with_field("firstQueuedAt", (NOON + timedelta(days=400)).isoformat()))

    assert read_now.first_queued_at == NOON


def test_again_counts_the_attempt_and_nothing_else():
    """The message after a wait is the same one, one attempt later."""
    message = SyncMessage(ID, "sweep", True, 3, NOON - timedelta(hours=1), "c-1")

    assert message.again() == SyncMessage(ID, "sweep", True, 4, message.first_queued_at, "c-1")


@pytest.mark.parametrize(
    "sweep_id",
    [None, "", 7, "../users/x", "a" * 65, "s\n"],
    ids=["none", "empty", "number", "path", "long", "line break"],
)
def test_removal_is_not_typed(sweep_id):
    """A removal has passed the brake of a sweep, whose id it carries; a typed one has not."""
    with pytest.raises(BadMessage, match="^Only a sweep can order a removal"):
        read(json.dumps({"userId": ID, "reason": "removal", "sweepId": sweep_id}))


def test_removal_of_a_sweep():
    """A sweep's removal is read as it was written, and is one still after a wait."""
    message = SyncMessage(ID, REMOVAL, False, 1, NOON, "c-1", "20260131T120000-1a2b3c4d")

    assert read(message.to_json()) == message
    assert read(message.again().to_json()).reason == "removal"


@pytest.mark.parametrize("uninstall_id", [None, "", 7, "../users/x", "a" * 65])
def test_uninstall_is_not_typed(uninstall_id):
    """A user is forgotten for good by an uninstall, whose id its messages carry."""
    with pytest.raises(BadMessage, match="^Only an uninstall can remove .* manage.py uninstall"):
        read(json.dumps({"userId": ID, "reason": "uninstall", "uninstallId": uninstall_id}))


def test_message_of_an_uninstall():
    """An uninstall's message is read as it was written, and is one still after a wait."""
    message = SyncMessage(ID, UNINSTALL, False, 1, NOON, "c-1", uninstall_id="20260131T1200-1a2b")

    assert read(message.to_json()) == message
    assert read(message.again().to_json()).uninstall_id == message.uninstall_id


def test_sweep_id_alone_orders_nothing():
    """The id of a sweep in another message is passed over as any unknown field is."""
    assert read(json.dumps({"userId": UPN, "sweepId": "s-1"})) == read(UPN)


def test_reasons_a_person_may_type():
    """The sentence about a bad reason names those that may be typed, and no removal."""
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


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=-14)))))
def test_any_time_is_read_or_refused(moment):
    """A time at either end of the calendar is a time or a BadMessage."""
    try:
        read(with_field("firstQueuedAt", moment.isoformat()))
    except BadMessage as error:
        assert "firstQueuedAt" in str(error)  # noqa: PT017 - most times raise nothing


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
    """No bytes at all do more harm than a BadMessage, and what is read can be queued and sent."""
    try:
        message = read(body)
    except BadMessage:
        return
    assert read(message.to_json()) == message
    assert message.user_id.encode()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [(ID, True), (ID.upper(), True), (UPN, False), (f"{ID}\n", False), (ID[:-1], False)],
    ids=["small", "capitals", "UPN", "line break", "short"],
)
def test_object_id(text, is_one):
    """An object id is a GUID with dashes, in any case, and nothing around it."""
    assert is_object_id(text) is is_one
