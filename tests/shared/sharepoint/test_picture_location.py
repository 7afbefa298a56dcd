"""Where picture files are, and whose they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sharepoint.picture_location import (
    PictureLocation,
    Shown,
    is_named_by_id,
    is_named_by_upn,
    rivals,
    shown_by,
)
from tests.shared.sharepoint.publishing_desk import COLLEAGUE, ID, MY

OURS = PictureLocation("Profile Pictures", ID)
LIBRARY = f"{MY}:443/User%20Photos/Profile%20Pictures"


@pytest.mark.parametrize(
    ("my", "host"),
    [(MY, "contoso-my.sharepoint.com:443"), ("https://localhost:7002", "localhost:7002")],
    ids=["cloud", "local"],
)
def test_url_as_microsoft_writes_it(my, host):
    """PictureURL names the middle file, with the port, percent-encoded, and is recognised."""
    assert OURS.url(my) == (f"https://{host}/User%20Photos/Profile%20Pictures/{ID}_MThumb.jpg")
    assert shown_by(OURS.url(my), my).here == OURS


SHOWN = {
    "as written": f"{LIBRARY}/{ID}_MThumb.jpg",
    "without port": f"{MY}/User%20Photos/Profile%20Pictures/{ID}_MThumb.jpg",
    "with spaces": f"{MY}/User Photos/Profile Pictures/{ID}_MThumb.jpg",
    "with a timestamp": f"{LIBRARY}/{ID}_MThumb.jpg?t=63783110969",
    "host in capitals": f"{LIBRARY}/{ID}_MThumb.jpg".replace("contoso-my", "CONTOSO-MY"),
    "suffix in small letters": f"{LIBRARY}/{ID}_mthumb.JPG",
}


@pytest.mark.parametrize("url", SHOWN.values(), ids=SHOWN)
def test_picture_in_the_library_is_recognised(url):
    """A PictureURL into the picture library gives the folder and the name of the files."""
    assert shown_by(url, MY) == Shown(url, OURS, is_here=True)


ELSEWHERE = {
    "nothing": "",
    "another site": "https://cdn.contoso.com/anne.jpg",
    "another host": LIBRARY.replace("contoso-my", "contoso") + f"/{ID}_MThumb.jpg",
    "another port": LIBRARY.replace("443", "444") + f"/{ID}_MThumb.jpg",
    "host in the user name": f"https://contoso-my.sharepoint.com@evil.com/User%20Photos/P/{ID}_MThumb.jpg",
    "another library": f"{MY}/Documents/Profile%20Pictures/{ID}_MThumb.jpg",
    "not the middle file": f"{LIBRARY}/{ID}_LThumb.jpg",
    "no folder": f"{MY}/User%20Photos/{ID}_MThumb.jpg",
    "no name": f"{LIBRARY}/_MThumb.jpg",
    "a subfolder": f"{LIBRARY}/old/{ID}_MThumb.jpg",
    "up": f"{MY}/User%20Photos/../{ID}_MThumb.jpg",
    "up, encoded": f"{MY}/User%20Photos/%2e%2e/{ID}_MThumb.jpg",
    "here": f"{MY}/User%20Photos/./{ID}_MThumb.jpg",
    "out of the folder, encoded": f"{LIBRARY}/..%2F..%2FDocuments%2F{ID}_MThumb.jpg",
    "backslashes": f"{LIBRARY}/..%5C{ID}_MThumb.jpg",
    "before the library": f"{MY}/x/User%20Photos/Profile%20Pictures/{ID}_MThumb.jpg",
    "more after it": f"{LIBRARY}/{ID}_MThumb.jpg.exe",
    "not encrypted": f"http://contoso-my.sharepoint.com/User%20Photos/P/{ID}_MThumb.jpg",
    "not encrypted, with port": f"{LIBRARY}/{ID}_MThumb.jpg".replace("https", "http"),
    "without scheme": f"{LIBRARY}/{ID}_MThumb.jpg".removeprefix("https:"),
    "pages of the library": f"{MY}/User%20Photos/FORMS/{ID}_MThumb.jpg",
    "broken URL": "https://[contoso",
    "broken port": "https://contoso-my.sharepoint.com:x/",
}  # fmt: skip


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_picture_elsewhere_is_not_ours(url):
    """Any other URL is not ours, however it is disguised."""
    assert shown_by(url, MY) == Shown(url)


EUROPE = LIBRARY.replace("contoso-my", "contosoeur-my")
RENAMED = f"{EUROPE}/{ID}_MThumb.jpg"


def test_picture_on_another_host_of_the_cloud():
    """A picture on a satellite, or from before a tenant rename, is recognised as such."""
    assert shown_by(RENAMED, MY) == Shown(RENAMED, OURS, is_here=False)
    assert shown_by(RENAMED, MY).here is None


NOT_CHOSEN = {
    "nothing": ("", ""),
    "here": (SHOWN["as written"], ""),
    "a colleague's, here": (f"{LIBRARY}/{COLLEAGUE}_MThumb.jpg", ""),
    "own object id, on a satellite": (RENAMED, ""),
    "own object id, in capitals": (RENAMED.replace(ID, ID.upper()), ""),
    "what we wrote": (f"{EUROPE}/anne_MThumb.jpg?t=2", f"{EUROPE}/anne_MThumb.jpg"),
    "what we wrote under the old name": (f"{EUROPE}/x_MThumb.jpg", f"{LIBRARY}/x_MThumb.jpg"),
    "what we wrote, in no library": ("https://old.contoso.com/x", "https://old.contoso.com/x"),
    "what we wrote, with a query": ("https://old.contoso.com/x?t=2", "https://old.contoso.com/x"),
}  # fmt: skip
CHOSEN = {
    "another site": ("https://cdn.contoso.com/anne.jpg", SHOWN["as written"]),
    "a colleague's, on a satellite": (f"{EUROPE}/{COLLEAGUE}_MThumb.jpg", SHOWN["as written"]),
    "own object id, in another cloud": (RENAMED.replace(".com", ".us"), ""),
    "own object id, on a foreign host": (RENAMED.replace("sharepoint.com", "evil.example"), ""),
    "own object id, not a My Site host": (RENAMED.replace("eur-my", ""), ""),
    "what we wrote, elsewhere": (f"https://evil.example/User%20Photos/P/{ID}_MThumb.jpg", RENAMED),
}  # fmt: skip


@pytest.mark.parametrize(("url", "wrote"), NOT_CHOSEN.values(), ids=NOT_CHOSEN)
def test_not_chosen(url, wrote):
    """Ours is what the state says we wrote, and own files on any My Site host of the cloud."""
    assert shown_by(url, MY).is_chosen(ID, wrote=wrote) is False


@pytest.mark.parametrize(("url", "wrote"), CHOSEN.values(), ids=CHOSEN)
def test_chosen(url, wrote):
    """A person set everything else that is not in our library."""
    assert shown_by(url, MY).is_chosen(ID, wrote=wrote)


NAMES = st.text(st.characters(exclude_characters="/\\", exclude_categories=["Cs"]), min_size=1)


@given(NAMES.filter(lambda name: name.casefold() not in {".", "..", "forms"}), NAMES)
def test_own_url_is_recognised(folder, name):
    """For any folder and name, `shown_by` reads the URL that `url` writes."""
    location = PictureLocation(folder, name)

    assert shown_by(location.url(MY), MY).here == location


@given(st.text() | st.text().map(lambda path: f"{LIBRARY}/{path}_MThumb.jpg"))
def test_any_url(url):
    """No PictureURL names a file outside one folder of the picture library."""
    location = shown_by(url, MY).location

    if location:
        assert not {"/", "\\"} & set(location.folder + location.name)
        assert location.folder not in {".", ".."}


UPN = "Bert.O'Neil-x@contoso.com"
UPN_NAMES: dict[str, tuple[str, bool]] = {
    "as until 2021": ("Bert_O'Neil-x_contoso_com", True),
    "other characters replaced too": ("bert_o_neil_x_contoso_com", False),
    "a colleague's": ("anne_contoso_com", False),
    "a letter for a dot": ("bertxo'neil-x_contoso_com", False),
    "cut off": ("Bert_O'Neil-x_contoso", False),
}


@pytest.mark.parametrize(("name", "own"), UPN_NAMES.values(), ids=UPN_NAMES)
def test_files_named_by_upn(name, own):
    """A UPN names files with `_` for `@` and `.`, the one rule that was recorded."""
    assert is_named_by_upn(PictureLocation("Profile Pictures", name), UPN) is own


@pytest.mark.parametrize(
    ("name", "own"), [(ID, True), (ID.upper(), True), (COLLEAGUE, False), (f"{ID}_2", False)]
)
def test_files_named_by_id(name, own):
    """An object id, in any case, names only its user's files."""
    assert is_named_by_id(PictureLocation("Profile Pictures", name), ID) is own


RIVALS = {
    "anne@contoso.com": set(),
    "bert.x@contoso.com": {"bert_x@contoso.com", "bert@x.contoso.com"},
    "bert_x@contoso.com": {"bert.x@contoso.com", "bert@x.contoso.com"},
    "bert@x.contoso.com": {"bert.x@contoso.com", "bert_x@contoso.com"},
}


@pytest.mark.parametrize(("upn", "others"), RIVALS.items(), ids=RIVALS)
def test_rivals(upn, others):
    """All users whose files could have the same name."""
    assert set(rivals(upn)) == others


@given(st.from_regex(r"[a-z]{1,3}([._][a-z]{1,3}){0,3}@[a-z]{2}([.][a-z]{2}){1,2}", fullmatch=True))
def test_rivals_name_each_other(upn):
    """Of two users whose files have the same name, each is the other's rival."""
    name = PictureLocation("Profile Pictures", re.sub("[@.]", "_", upn))
    for rival in rivals(upn):
        assert rival != upn
        assert is_named_by_upn(name, rival)
        assert upn in set(rivals(rival))
