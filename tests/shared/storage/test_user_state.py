"""The state of a user: how it is written, read back, and when it may be believed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Conflict
from shared.storage import user_state
from shared.storage.user_state import Claim, LastError, Stored, UserState
from shared.written_file import WrittenFile
from tests.doubles.office import ANNE, NOON, MemoryStore

DAMAGED = "The state blob was damaged. PhotoSync replaces it."
AT = "2026-01-31T12:00:00.000+00:00"
LONGEST_CLAIM = 600.0
IN_BERLIN = "2026-01-31T13:00:00+01:00"
FULL = UserState(
    ANNE.id,
    user_principal_name=ANNE.user_principal_name,
    display_name="Anne Keller",
    status=user_state.SYNCED,
    reason="a-word",
    detail="a detail",
    sha256="abc",
    source_etag='W/"1"',
    picture_url="https://contoso-my.sharepoint.com/a_MThumb.jpg",
    sizes="48,72,300",
    recipe=2,
    files=tuple(WrittenFile.of(each, "etag") for each in (b"small", b"middle", b"large")),
    damage="a sentence",
    synced_at=NOON,
    checked_at=NOON,
    attempt=3,
    next_attempt_at=NOON,
    missing_since=NOON,
    left_since=NOON,
    out_of_scope_since=NOON,
    claim=Claim("a-run", 300.0, left=301.0),
    last_error=LastError("throttled", "Busy.", NOON),
    replays=("newest", "before"),
)
SYNCED = replace(FULL, claim=None)

moments = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
texts = st.text(st.characters(exclude_categories=["Cs"]))
OF_A_TYPE = {"str": texts, "int": st.integers(0, 99), "datetime | None": st.none() | moments}


def _fresh(by: str, seconds: float) -> Claim:
    return Claim(by, seconds, left=seconds + 1)


OF_A_FIELD = {
    "user_id": st.just(ANNE.id),
    "status": st.sampled_from(sorted(user_state.STATUSES)),
    "files": st.just(())
    | st.tuples(*[st.builds(WrittenFile, texts, st.integers(0, 99), texts)] * 3),
    "claim": st.none() | st.builds(_fresh, texts, st.floats(1, LONGEST_CLAIM)),
    "last_error": st.none() | st.builds(LastError, texts, texts, moments),
    "replays": st.lists(texts, max_size=user_state.MOST_REPLAYS).map(tuple),
}
OTHERS = {each.name: each.type for each in fields(UserState) if each.name not in OF_A_FIELD}
states = st.builds(
    UserState, **OF_A_FIELD, **{name: OF_A_TYPE[str(kind)] for name, kind in OTHERS.items()}
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def written() -> dict[str, Any]:
    """The fields of the blob of FULL."""
    return {**json.loads(user_state.to_json(FULL))}


def read(value: object) -> UserState:
    """What the blob with this JSON says about Anne."""
    return user_state.from_json(ANNE.id, json.dumps(value).encode())


@given(states)
def test_state_survives_the_blob(known):
    """A state is read as it was written."""
    assert user_state.from_json(ANNE.id, user_state.to_json(known)) == known


def test_names_in_the_blob():
    """Other programs read the blob by these names."""
    assert written() == {
        "userId": ANNE.id,
        "userPrincipalName": "anne@contoso.com",
        "displayName": "Anne Keller",
        "status": "synced",
        "reason": "a-word",
        "detail": "a detail",
        "sha256": "abc",
        "sourceEtag": 'W/"1"',
        "pictureUrl": "https://contoso-my.sharepoint.com/a_MThumb.jpg",
        "sizes": "48,72,300",
        "recipe": 2,
        "files": [
            {"etag": "etag", "length": len(each), "sha256": hashlib.sha256(each).hexdigest()}
            for each in (b"small", b"middle", b"large")
        ],
        "damage": "a sentence",
        "syncedAt": AT,
        "checkedAt": AT,
        "attempt": 3,
        "nextAttemptAt": AT,
        "missingSince": AT,
        "leftSince": AT,
        "outOfScopeSince": AT,
        "claim": {"by": "a-run", "seconds": 300.0},
        "lastError": {"code": "throttled", "message": "Busy.", "at": AT},
        "replays": ["newest", "before"],
    }


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", IN_BERLIN])
def test_time_typed_by_a_person(text):
    """A time without a zone is UTC; all times are written in UTC. Only the status is required."""
    known = read({"status": "synced", "syncedAt": text})

    assert known == UserState(ANNE.id, status=user_state.SYNCED, synced_at=NOON)
    again = user_state.to_json(replace(known, synced_at=datetime.fromisoformat(IN_BERLIN)))
    assert json.loads(again)["syncedAt"] == AT


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"status": ["synced"]}',
        b'{"status": 5}',
        b'{"status": "synced", "claim": {}}',
        b'{"status": "synced", "claim": "mine"}',
        b'{"status": "synced", "claim": {"by": "x", "seconds": "soon"}}',
        b'{"status": "synced", "lastError": {"code": "x"}}',
        b'{"status": "synced", "syncedAt": "yesterday"}',
        b'{"status": "synced", "syncedAt": "0001-01-01T00:00:00+10:00"}',
        b'{"status": "synced", "recipe": "2"}',
        b'{"status": "synced", "attempt": -1}',
    ],
)
def test_damaged_blob_counts_as_never_synced(blob):
    """A blob damaged by hand reads as a user who was never synced, and says so."""
    known = user_state.from_json(ANNE.id, blob)

    assert known == UserState(ANNE.id, detail=DAMAGED)


def test_status_of_a_newer_version():
    """After a rollback the picture is still known as ours, but its files are unknown."""
    known = read(written() | {"status": "paused", "pausedSince": "2031"})

    assert known == replace(
        read(written()),
        status=user_state.WAITING,
        detail="A newer version of PhotoSync wrote this state. The user is checked again.",
        sha256="",
        files=(),
        damage="",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"etag": "e", "length": 1, "sha256": "s"}] * 4},
        {"files": [{"etag": "e", "length": 1, "sha256": "s"}] * 2},
        {"files": [{"digest": "s"}] * 3, "status": "paused"},
        {"recipe": "jpeg-2"},
        {"lastError": {"code": "x"}},
        {"claim": {"by": "x", "seconds": {"least": 5}}},
        {"syncedAt": {"at": 5}},
        {"status": {"code": "synced"}},
    ],
    ids=lambda change: " ".join(change),
)
def test_other_form_of_a_newer_version(change):
    """From a state in another form, only the picture's address is believed."""
    known = read(written() | change)

    assert known == UserState(ANNE.id, picture_url=FULL.picture_url, detail=DAMAGED)


@pytest.mark.parametrize("url", [None, 5, True, ["https://contoso-my.sharepoint.com/a.jpg"], {}])
def test_picture_url_that_is_no_text(url):
    """It reads as empty, in a valid state and in a damaged one."""
    for status in ("synced", 5):
        assert read(written() | {"pictureUrl": url, "status": status}).picture_url == ""


@given(json_values | st.dictionaries(st.sampled_from(sorted(written())), json_values))
def test_no_blob_stops_a_run(value):
    """Any JSON reads as some state that can be written again."""
    known = read(value)

    assert user_state.from_json(ANNE.id, user_state.to_json(known)).status == known.status


CLAIMED = replace(SYNCED, claim=Claim("a-run", 300.0, left=301.0))


@pytest.mark.parametrize(
    ("state", "covers", "holds"),
    [
        (SYNCED, True, True),
        (replace(SYNCED, source_etag='W/"2"'), False, True),
        (replace(SYNCED, sha256=""), True, False),
        (replace(SYNCED, sizes="48,96,240"), False, False),
        (replace(SYNCED, recipe=1), False, False),
        (CLAIMED, False, False),
        *(
            (replace(SYNCED, status=status), False, True)
            for status in sorted(user_state.STATUSES - {user_state.SYNCED})
        ),
    ],
)
def test_what_a_state_covers_and_holds(state, covers, holds):
    """A synced state covers its etag; files hold their bytes whatever the status; no claim."""
    assert state.covers('W/"1"', sizes="48,72,300", recipe=2) is covers
    assert state.holds("abc", sizes="48,72,300", recipe=2) is holds


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, True),
        ({"status": "failed"}, True),
        ({"status": "no-photo"}, False),
        ({"picture_url": ""}, False),
        ({"sha256": ""}, False),
        ({"claim": FULL.claim}, False),
    ],
)
def test_state_whose_picture_is_shown(changed, shown):
    """A picture of ours that is maintained, and whose files are known."""
    assert replace(SYNCED, **changed).is_shown is shown


@pytest.mark.parametrize(
    ("before", "touched", "sha256"),
    [(SYNCED, False, "abc"), (SYNCED, True, ""), (FULL, False, ""), (FULL, True, "")],
)
def test_released_state(before, touched, sha256):
    """It has no claim, and its hash only if no run can have touched the files."""
    after = before.released(files_touched=touched)

    assert (after.claim, after.sha256) == (None, sha256)


def test_recorded_result():
    """A state has recorded a result if it says just that and no run died since."""
    known = replace(SYNCED, status=user_state.NO_PHOTO, detail="None.")

    assert known.has_recorded(user_state.NO_PHOTO, "None.")
    assert not known.has_recorded(user_state.SKIPPED, "None.")
    assert not known.has_recorded(user_state.NO_PHOTO, "Gone.")
    assert not replace(known, claim=FULL.claim).has_recorded(user_state.NO_PHOTO, "None.")


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"checked_at": None}, True),
        ({"attempt": 9}, True),
        ({"detail": "new"}, False),
        ({"missing_since": None}, False),
        ({"claim": FULL.claim}, False),
    ],
)
def test_repeated_check(changed, same):
    """A repeated check alone is not worth a write."""
    assert replace(SYNCED, **changed).only_repeats(SYNCED) is same


def test_writes_are_conditional():
    """A state that was not there is created; else the version that was read is replaced."""
    store = MemoryStore()
    first = user_state.write(store, SYNCED, after=None)
    assert store.read(ANNE.id) == first
    with pytest.raises(Conflict):
        user_state.write(store, FULL, after=None)
    second = user_state.write(store, replace(SYNCED, detail="second"), after=first)

    with pytest.raises(Conflict):
        user_state.write(store, replace(SYNCED, detail="third"), after=first)
    assert store.read(ANNE.id) == Stored(replace(SYNCED, detail="second"), second.version)


@pytest.mark.parametrize(
    ("fields", "age", "left"),
    [
        pytest.param({"seconds": 30}, 0, 31, id="just written"),
        pytest.param({"seconds": 30}, 30, 1, id="over, but for storage's whole seconds"),
        pytest.param({"seconds": 30}, 31, 0, id="over"),
        pytest.param({"seconds": LONGEST_CLAIM}, 0, LONGEST_CLAIM + 1, id="longest"),
        pytest.param({"seconds": LONGEST_CLAIM + 1}, 0, 0, id="longer than any run claims"),
        pytest.param({"seconds": float("inf")}, 0, 0, id="for ever"),
        pytest.param({"seconds": 0}, 0, 0, id="none"),
        pytest.param({"expiresAt": "2026-01-31T12:00:00Z"}, 599, 2, id="of 0.1.0"),
    ],
)
def test_what_is_left_of_a_claim(fields, age, left):
    """The age of the blob decides; a claim that no run can have made does not count."""
    text = json.dumps({"status": user_state.WAITING, "claim": {"by": "a-run", **fields}}).encode()
    claim = user_state.from_json("anne", text, age=age).claim

    assert claim
    assert claim.left == left
    assert claim.is_live is (left > 0)
