"""Users listed by the metadata of their state blobs, page by page."""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.console import roster
from shared.console.roster import Roster
from shared.errors import LONGEST_SENTENCE, BadRequest
from shared.storage import roster_entry
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.user_state import FAILED, NO_PHOTO, STATUSES, SYNCED, UserState
from tests.doubles.office import ANNE, NOON


def entry(number: int, *, status: str = SYNCED, name: str = "Anne Example") -> Entry:
    return Entry(f"id-{number:06}", f"user{number:06}@contoso.com", name, status, "", "", "", "")


class Metadata:
    """Entries in storage's order, and the number of listing calls."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.calls = 0

    def leaf(self, token: str, size: int) -> Leaf:
        self.calls += 1
        start = int(token or 0)
        following = str(start + size) if start + size < len(self.entries) else ""
        return Leaf(self.entries[start : start + size], following)


class Endless:
    """A listing that never ends."""

    calls = 0

    def leaf(self, token: str, size: int) -> Leaf:
        self.calls += 1
        return Leaf([entry(1)], "more")


def names(entries: list[Entry]) -> list[str]:
    return [one.user_id for one in entries]


def all_pages(found: Roster, *, size: int = 50, **query: Any) -> list[str]:
    token, seen = "", []
    while True:
        page = found.page(token=token, size=size, **query)
        assert len(page.entries) <= size
        seen += names(page.entries)
        token = page.token
        if page.complete:
            return seen


@pytest.mark.parametrize("search", ["", "user099999@", "nobody", "anne"])
def test_page_of_100_000_users_costs_under_five_calls(search: str):
    """A page of any search among 100,000 users takes at most four calls."""
    metadata = Metadata([entry(number) for number in range(100_000)])
    Roster(metadata).page(search=search)

    assert metadata.calls < 5


def test_rare_user_is_found_page_by_page():
    """Empty pages lead by their tokens to the one matching user."""
    metadata = Metadata([entry(number) for number in range(100_000)])
    first = Roster(metadata).page(search="user099999@")

    assert (first.entries, first.complete) == ([], False)
    assert all_pages(Roster(metadata), search="user099999@") == ["id-099999"]


@given(st.lists(st.sampled_from(sorted(STATUSES)), max_size=40), st.integers(1, 7))
def test_every_match_comes_once(statuses: list[str], size: int):
    """Whatever the page size, each matching user is listed once and in order."""
    entries = [entry(number, status=status) for number, status in enumerate(statuses)]
    wanted = names([one for one in entries if one.status == SYNCED])

    assert all_pages(Roster(Metadata(entries)), status=SYNCED, size=size) == wanted


@pytest.mark.parametrize(
    ("search", "matches"),
    [
        ("anne", True),
        ("BEISPIEL", True),
        ("anne bei", True),
        (" O'NEIL#1@", True),
        ("id-000", True),
        ("", True),
        ("spiel", False),
        ("contoso", False),
    ],
)
def test_search_is_for_beginnings(search: str, matches: bool):
    """A search matches the start of UPN, object id, name or a word of it, in any case."""
    one = Entry("id-000001", "o'neil#1@contoso.com", "Anne Beispiel", SYNCED, "", "", "", "")

    assert one.matches(search, "") is matches
    assert not one.matches(search, FAILED)


def test_finds_one_by_upn():
    """A UPN is found in any case, even after UPNs that only begin with it."""
    entries = [entry(number) for number in range(25_000)]
    found = Roster(Metadata(entries)).find("USER000002@contoso.com")

    assert found == entries[2]
    assert Roster(Metadata(entries)).find("user024999@contoso.com") == entries[-1]
    assert Roster(Metadata(entries)).find("user000002") is None


def test_endless_listing():
    """An endless listing is abandoned after a hundred calls, by a search and by a count."""
    endless = Endless()
    assert Roster(endless).find("nobody@contoso.com") is None
    assert endless.calls == roster.MOST_CALLS

    assert Roster(endless).census(1).counts == Counter({SYNCED: roster.MOST_CALLS})
    assert endless.calls == 2 * roster.MOST_CALLS


def described(**fields: Any) -> Entry:
    """Anne's entry, by the metadata of her state."""
    return roster_entry.entry(ANNE.id, roster_entry.describe(UserState(ANNE.id, **fields)))


def test_gone():
    """A picture whose photo is gone is listed with the time; otherwise it is not."""
    gone = described(picture_url="https://a/b.jpg", missing_since=NOON)
    back, taken = described(picture_url="https://a/b.jpg"), described(missing_since=NOON)

    assert Roster(Metadata([back, gone, taken])).page(gone=True).entries == [gone]
    assert gone.missing_since == "2026-01-31T12:00:00+00:00"


def test_differs():
    """The metadata describe what an audit found, and the list can be filtered by it."""
    damaged = described(damage="The profile shows no picture any more.")

    assert Roster(Metadata([described(), damaged])).page(differs=True).entries == [damaged]
    assert damaged.damage == "The profile shows no picture any more."


def test_since_when():
    """The metadata say since when a user has left or is out of scope."""
    since = described(left_since=NOON, out_of_scope_since=NOON)

    assert {since.left_since, since.out_of_scope_since} == {"2026-01-31T12:00:00+00:00"}
    assert {described().left_since, described().out_of_scope_since} == {""}


def test_census():
    """The users of each status and the newest failures, with one call per 5,000 users."""
    entries = [replace(entry(number), damage="x" * (number < 2)) for number in range(7000)]
    failed = [
        replace(entry(number, status=FAILED), checked_at=f"2026-01-{day:02}")
        for number, day in ((0, 3), (4000, 9), (6999, 27), (5001, 4))
    ]
    for one in failed:
        entries[int(one.user_id[-6:])] = one
    metadata = Metadata([*entries, entry(7000, status=NO_PHOTO)])
    counts, newest, differ, pictures, _ = Roster(metadata).census(3)

    assert counts == Counter({SYNCED: 6996, FAILED: 4, NO_PHOTO: 1})
    assert [one.checked_at[-2:] for one in newest] == ["27", "09", "04"]
    assert differ == 1
    assert metadata.calls == 2


@pytest.mark.parametrize(
    "token", ["?", "é", "bm8=", "WzEsIDJd", "WyIiLCAiIl0=", base64.b64encode(b"[" * 9999).decode()]
)
def test_foreign_token(token: str):
    """A token that no page returned is refused in one sentence."""
    with pytest.raises(BadRequest, match="Start again without a token"):
        Roster(Metadata([])).page(token=token)


@pytest.mark.parametrize("marker", ["\0", "a\r\nb", "\ud800", "x" * 4001], ids=ascii)
def test_invalid_marker(marker: str):
    """A marker that the storage client cannot send is refused."""
    token = base64.urlsafe_b64encode(json.dumps([marker, 0]).encode()).decode()

    with pytest.raises(BadRequest, match="Start again without a token"):
        Roster(Metadata([])).page(token=token)


@given(name=st.text(st.characters(exclude_categories=["Cs"])), detail=st.text(max_size=500))
def test_metadata_is_ascii(name: str, detail: str):
    """Metadata are printable ASCII without empty values, and can be read back."""
    safe = detail.encode(errors="ignore").decode()
    state = UserState(
        ANNE.id,
        user_principal_name=ANNE.user_principal_name,
        display_name=name,
        status=SYNCED,
        detail=safe,
        synced_at=NOON,
    )
    metadata = roster_entry.describe(state)
    read = roster_entry.entry(ANNE.id, metadata)

    assert all(text and text.isascii() and text.isprintable() for text in metadata.values())
    assert (read.display_name, read.detail) == (name, safe)
    assert (read.synced_at, read.checked_at) == ("2026-01-31T12:00:00+00:00", "")


@pytest.mark.parametrize("sign", ["a", " ", "ß", "字", "😀"])
def test_longest_sentence_fits(sign: str):
    """Azure allows 8 KB of metadata: the longest sentence fits, in any script."""
    gave_up = "Gave up after a day of waiting. " + sign * LONGEST_SENTENCE
    metadata = roster_entry.describe(
        UserState(
            ANNE.id,
            user_principal_name=sign * 300,
            display_name=sign * 300,
            status=FAILED,
            reason="subscription-exists",
            detail=gave_up,
            checked_at=NOON,
            synced_at=NOON,
        )
    )

    assert sum(len(name) + len(text) for name, text in metadata.items()) <= 8192
    assert roster_entry.entry(ANNE.id, metadata).detail == gave_up


@pytest.mark.parametrize(
    ("stored", "read"), [("Zo%C3%AB", "Zoë"), ("=?", "=?"), ("=/w==", "=/w==")]
)
def test_metadata_of_others(stored: str, read: str):
    """Metadata of an earlier version or a person are read as far as possible."""
    assert roster_entry.entry("anne", {"detail": stored}).detail == read


def test_half_a_character():
    """A name that was cut within a character can still be described."""
    cut = {"user_principal_name": "a\udc00@x", "display_name": "Zoë \ud83d", "detail": "\ud83d"}

    assert described(**cut).display_name == "Zoë ?"


def test_blob_without_metadata():
    """A blob without metadata is a user of unknown status."""
    assert roster_entry.entry("anne", {}) == Entry("anne", "", "", "", "", "", "", "")
