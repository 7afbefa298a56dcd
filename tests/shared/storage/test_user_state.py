"""What is remembered of a user, how it is read back, and when it may be believed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Conflict
from shared.storage import user_state
from shared.storage.user_state import LONGEST_CLAIM, Claim, LastError, Stored, UserState
from shared.written_file import WrittenFile
from tests.doubles.office import ANNE, NOON, MemoryStore

TICK = timedelta(milliseconds=1)
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


def _fresh(by: str, seconds: float) -> Claim:
    return Claim(by, seconds, left=seconds + 1)


states = st.builds(
    UserState,
    st.just(ANNE.id),
    user_principal_name=texts,
    display_name=texts,
    status=st.sampled_from(sorted(user_state.STATUSES)),
    reason=texts,
    detail=texts,
    sha256=texts,
    source_etag=texts,
    picture_url=texts,
    sizes=texts,
    recipe=st.integers(0, 99),
    files=st.just(()) | st.tuples(*[st.builds(WrittenFile, texts, st.integers(0, 99), texts)] * 3),
    damage=texts,
    synced_at=st.none() | moments,
    checked_at=st.none() | moments,
    attempt=st.integers(0, 99),
    next_attempt_at=st.none() | moments,
    missing_since=st.none() | moments,
    left_since=st.none() | moments,
    out_of_scope_since=st.none() | moments,
    claim=st.none() | st.builds(_fresh, texts, st.floats(1, LONGEST_CLAIM)),
    last_error=st.none() | st.builds(LastError, texts, texts, moments),
    replays=st.lists(texts, max_size=user_state.MOST_REPLAYS).map(tuple),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(states)
def test_state_survives_the_blob(known):
    """What is written is read back the same."""
    assert user_state.from_json(ANNE.id, user_state.to_json(known)) == known


def test_blob_has_the_names_of_the_design():
    """Other programs read the blob by these names."""
    assert json.loads(user_state.to_json(FULL)) == {
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
        "syncedAt": "2026-01-31T12:00:00.000+00:00",
        "checkedAt": "2026-01-31T12:00:00.000+00:00",
        "attempt": 3,
        "nextAttemptAt": "2026-01-31T12:00:00.000+00:00",
        "missingSince": "2026-01-31T12:00:00.000+00:00",
        "leftSince": "2026-01-31T12:00:00.000+00:00",
        "outOfScopeSince": "2026-01-31T12:00:00.000+00:00",
        "claim": {"by": "a-run", "seconds": 300.0},
        "lastError": {
            "code": "throttled",
            "message": "Busy.",
            "at": "2026-01-31T12:00:00.000+00:00",
        },
        "replays": ["newest", "before"],
    }


def test_only_a_status_is_needed():
    """A blob may lack any field but the status."""
    assert user_state.from_json(ANNE.id, b'{"status": "skipped"}') == UserState(
        ANNE.id, status=user_state.SKIPPED
    )


def test_files_are_three_or_none():
    """A person may have taken one of the files out: such a state is made anew."""
    fields = json.loads(user_state.to_json(SYNCED))
    fields["files"].pop()

    assert "damaged" in user_state.from_json(ANNE.id, json.dumps(fields).encode()).detail


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "2026-01-31T13:00:00+01:00"])
def test_time_typed_by_a_person(text):
    """A time without a zone is UTC, and one with a zone is that moment."""
    blob = json.dumps({"status": "synced", "syncedAt": text}).encode()

    assert user_state.from_json(ANNE.id, blob).synced_at == NOON


def test_times_are_written_in_utc():
    """A moment of another zone is written as UTC, as all others."""
    elsewhere = datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1)))

    fields = json.loads(user_state.to_json(replace(FULL, synced_at=elsewhere)))

    assert fields["syncedAt"] == "2026-01-31T12:00:00.000+00:00"


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
        b'{"status": "synced", "claim": {}}',
        b'{"status": "synced", "claim": "mine"}',
        b'{"status": "synced", "claim": {"by": "x", "seconds": "soon"}}',
        b'{"status": "synced", "lastError": {"code": "x"}}',
        b'{"status": "synced", "syncedAt": "yesterday"}',
        b'{"status": "synced", "syncedAt": "0001-01-01T00:00:00+10:00"}',
        b'{"status": "synced", "attempt": "many"}',
        b'{"status": "synced", "recipe": 1e999}',
        b'{"status": "synced", "recipe": 2.5}',
        b'{"status": "synced", "recipe": "2"}',
        b'{"status": "synced", "attempt": 100000000000}',
        b'{"status": "synced", "attempt": -1}',
    ],
)
def test_damaged_blob_counts_as_never_synced(blob):
    """A blob that a person has damaged is read as a user never synced, and says so."""
    known = user_state.from_json(ANNE.id, blob)

    assert known == UserState(ANNE.id, detail="The state blob was damaged. PhotoSync replaces it.")


def test_status_of_a_newer_version():
    """After a rollback it is still known whose picture is ours, and its files are not trusted."""
    fields = json.loads(user_state.to_json(FULL)) | {"status": "paused", "pausedSince": "2031"}
    known = user_state.from_json(ANNE.id, json.dumps(fields).encode())

    assert known == replace(
        user_state.from_json(ANNE.id, user_state.to_json(FULL)),
        status=user_state.WAITING,
        detail="A newer version of PhotoSync wrote this state. The user is checked again.",
        sha256="",
        files=(),
        damage="",
    )
    assert known.picture_url == FULL.picture_url != ""


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"etag": "e", "length": 1, "sha256": "s"}] * 4},
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
    """Of a state that is in no form of ours, only whose picture is shown is believed."""
    fields = json.loads(user_state.to_json(FULL)) | change
    known = user_state.from_json(ANNE.id, json.dumps(fields).encode())

    detail = "The state blob was damaged. PhotoSync replaces it."
    assert known == UserState(ANNE.id, picture_url=FULL.picture_url, detail=detail)


@pytest.mark.parametrize("url", [None, 5, True, ["https://contoso-my.sharepoint.com/a.jpg"], {}])
def test_picture_url_that_is_no_text(url):
    """It is none, in a sound state and in a damaged one."""
    for status in ("synced", 5):
        fields = json.loads(user_state.to_json(FULL)) | {"pictureUrl": url, "status": status}
        assert user_state.from_json(ANNE.id, json.dumps(fields).encode()).picture_url == ""


@given(
    json_values
    | st.dictionaries(st.sampled_from(sorted(json.loads(user_state.to_json(FULL)))), json_values)
)
def test_no_blob_stops_a_run(value):
    """Whatever JSON a blob holds, it is read as some state that can be written again."""
    known = user_state.from_json(ANNE.id, json.dumps(value).encode())

    assert user_state.from_json(ANNE.id, user_state.to_json(known)).status == known.status


def test_synced_state_covers_its_etag():
    """A synced state covers the etag it was made from."""
    assert SYNCED.covers('W/"1"', sizes="48,72,300", recipe=2)


@pytest.mark.parametrize(
    "other",
    [
        replace(SYNCED, source_etag='W/"2"'),
        replace(SYNCED, sizes="48,96,240"),
        replace(SYNCED, recipe=1),
        replace(SYNCED, claim=Claim("a-run", 300.0, left=301.0)),
        *(
            replace(SYNCED, status=status)
            for status in sorted(user_state.STATUSES - {user_state.SYNCED})
        ),
    ],
)
def test_other_state_covers_nothing(other):
    """Another etag, other sizes, another recipe, a claim or another status cover nothing."""
    assert not other.covers('W/"1"', sizes="48,72,300", recipe=2)


@pytest.mark.parametrize("status", sorted(user_state.STATUSES))
def test_hash_holds_whatever_the_status(status):
    """Files made from the same bytes are there, however the last run ended."""
    assert replace(SYNCED, status=status).holds("abc", sizes="48,72,300", recipe=2)


@pytest.mark.parametrize(
    "other",
    [
        replace(SYNCED, sha256=""),
        replace(SYNCED, sizes="48,96,240"),
        replace(SYNCED, recipe=1),
        replace(SYNCED, claim=Claim("a-run", 300.0, left=301.0)),
    ],
)
def test_other_files_hold_nothing(other):
    """Unknown bytes, other sizes, another recipe or a claim hold nothing."""
    assert not other.holds("abc", sizes="48,72,300", recipe=2)


@pytest.mark.parametrize(
    ("before", "touched", "sha256"),
    [(SYNCED, False, "abc"), (SYNCED, True, ""), (FULL, False, ""), (FULL, True, "")],
)
def test_released_state(before, touched, sha256):
    """A released state has no claim, and its hash only if nobody can have touched the files."""
    after = before.released(files_touched=touched)

    assert (after.claim, after.sha256) == (None, sha256)


def test_state_that_tells():
    """A state tells what was found if it says just that, and nobody died over the files since."""
    known = replace(SYNCED, status=user_state.NO_PHOTO, detail="None.")

    assert known.tells(user_state.NO_PHOTO, "None.")
    assert not known.tells(user_state.SKIPPED, "None.")
    assert not known.tells(user_state.NO_PHOTO, "Gone.")
    assert not replace(known, claim=FULL.claim).tells(user_state.NO_PHOTO, "None.")


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
def test_state_that_says_the_same(changed, same):
    """Only that a user was looked at again is not worth a write."""
    assert replace(SYNCED, **changed).says_the_same(SYNCED) is same


def test_first_write_is_a_create():
    """What was not there when it was read must not be there when it is written."""
    store = MemoryStore()
    first = user_state.write(store, SYNCED, after=None)

    assert store.read(ANNE.id) == first
    with pytest.raises(Conflict):
        user_state.write(store, FULL, after=None)


def test_write_replaces_what_was_read():
    """A write replaces the version that was read, and no other."""
    store = MemoryStore()
    first = user_state.write(store, SYNCED, after=None)
    second = user_state.write(store, replace(SYNCED, detail="second"), after=first)

    with pytest.raises(Conflict):
        user_state.write(store, replace(SYNCED, detail="third"), after=first)
    assert store.read(ANNE.id) == Stored(replace(SYNCED, detail="second"), second.version)
