"""The picture that a person chose: which files are read, and which hosts are never called."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from shared.errors import PictureKept, ServiceDown, Throttled
from shared.sharepoint.chosen_picture import ChosenPicture, chosen_in, read
from shared.sharepoint.client import SharePointClient
from tests.doubles.web import Answer, Recorded, answer, http
from tests.shared.sharepoint.publishing_desk import COLLEAGUE, ELSEWHERE, ID, MY, OWN_URL
from tests.shared.sharepoint.test_refusals import sharepoint_error

GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
SPACE = "/personal/anne_contoso_com/"


def chosen(url: str, *, space: str = SPACE, wrote: str = "") -> ChosenPicture | None:
    profile = {"PictureURL": url, "PersonalSpace": space}
    return chosen_in(profile, MY, user_id=ID, wrote=wrote)


def fetched(url: str, response: Answer | None = None) -> tuple[bytes | str, list[str | None]]:
    """The bytes of the picture at *url*, or why it is not read; and the URLs requested."""
    picture = chosen(url)
    assert picture
    web = Recorded(response or Answer(200, GIF))
    service = http(web, audience=MY)
    content: bytes | str
    try:
        content = read(SharePointClient(service, service), picture)
    except PictureKept as error:
        content = str(error)
    return content, [request.url for request in web.requests]


GET = "_api/web/GetFileByServerRelativePath(decodedurl='{}')/$value"
ANNES = SPACE.rstrip("/")
OURS = {
    "the root": ("/Documents/me.jpg", "", "/Documents/me.jpg"),
    "with the port": (":443/Documents/me.jpg?t=7#x", "", "/Documents/me.jpg"),
    "the library": ("/User%20Photos/P/me.png", "", "/User Photos/P/me.png"),
    "the personal site": (f"{SPACE}D/50%25%20%C3%BC'%23.jpg", ANNES, f"{SPACE}D/50% ü'#.jpg"),
    "in other letters": (f"{SPACE.upper()}me.jpg", ANNES, f"{SPACE.upper()}me.jpg"),
}


@pytest.mark.parametrize(("place", "site", "path"), OURS.values(), ids=OURS)
def test_picture_on_our_host(place: str, site: str, path: str):
    """A file on the My Site host is read there, by its path in the site that contains it."""
    content, [requested] = fetched(MY + place)

    quoted = path.replace("'", "''")
    assert content == GIF
    assert unquote(requested or "") == f"{MY}{site}/{GET.format(quoted)}"


NOT_OURS = {
    **{name: url for name, url in ELSEWHERE.items() if name != "another library"},
    "a colleague's site": f"{MY}/personal/bert_contoso_com/Documents/private.jpg",
    "a name that begins alike": f"{MY}/personal/anne_contoso_com2/Documents/private.jpg",
    "another cloud": "https://contoso-my.sharepoint.com.evil.example/me.jpg",
    "another port": f"{MY}:8443/Documents/me.jpg",
    "no port": f"{MY}:99999/Documents/me.jpg",
    "without TLS": MY.replace("https", "http") + "/Documents/me.jpg",
    "with a name": MY.replace("//", "//anne@") + "/Documents/me.jpg",
    "a satellite": MY.replace("contoso-my", "contosoeur-my") + "/Documents/me.jpg",
    "dots": f"{MY}/Documents/../../personal/bert_contoso_com/x.jpg",
    "encoded dots": f"{MY}/Documents/%2e%2e/%2E%2E/personal/bert_contoso_com/x.jpg",
    "a backslash": f"{MY}/Documents%5C..%5Cx.jpg",
    "two slashes": f"{MY}//evil.example/x.jpg",
    "a line break": f"{MY}/Documents/%0D%0AHost:%20evil.example/x.jpg",
    "no text": f"{MY}/Documents/%ff.jpg",
    "no file": f"{MY}/",
    "no path": MY,
    "an open bracket": "https://[contoso-my.sharepoint.com/x.jpg",
    "a local file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
}


@pytest.mark.parametrize("url", NOT_OURS.values(), ids=NOT_OURS)
def test_nothing_is_fetched_from_elsewhere(url: str):
    """For any other URL nothing is requested, and the sentence says that a person chose it."""
    sentence, requested = fetched(url)

    assert isinstance(sentence, str)
    assert sentence.startswith("A person chose a picture at ")
    assert (requested, "does not read files from there" in sentence) == ([], True)


@pytest.mark.parametrize(
    "space", ["", "/", "/personal/", "/personal/bert_contoso_com/x/", "/sites/x/"]
)
def test_unknown_personal_site(space: str):
    """If the profile names no personal site, none is read."""
    found = chosen(f"{MY}/personal/bert_contoso_com/x.jpg", space=space)

    assert found
    assert found.path == ""


HARM = {
    "no file": (answer({}, 404), "The file does not exist."),
    "no right": (answer({}, 403), "may not read"),
    "outside": (sharepoint_error(400, "-2147024809, System.ArgumentException", "Outside."), "400"),
    "a page": (Answer(200, b"<script>alert(1)</script>"), "is not a picture that can be shown"),
    "half a picture": (Answer(200, b"\xff\xd8\xff\xe0"), "is not a picture that can be shown"),
    "nothing": (Answer(200, b""), "is not a picture that can be shown"),
    "too much": (Answer(200, GIF + bytes(9 * 1024 * 1024)), "is not a picture that can be shown"),
    "far too much": (Answer(200, bytes(17 * 1024 * 1024)), "more than"),
}


@pytest.mark.parametrize(("response", "why"), HARM.values(), ids=HARM)
def test_every_refusal_is_a_sentence(response: Answer, why: str):
    """Whatever prevents showing it, the sentence says so; only pictures are returned."""
    sentence, requested = fetched(f"{MY}/Documents/me.jpg", response)

    assert isinstance(sentence, str)
    assert sentence.startswith("A person chose a picture at contoso-my.sharepoint.com. ")
    assert why in sentence
    assert len(requested) == 1


@pytest.mark.parametrize(("status", "error"), [(429, Throttled), (500, ServiceDown)])
def test_service_is_down(status: int, error: type[Exception]):
    """If SharePoint cannot be asked now, its error is raised."""
    with pytest.raises(error):
        fetched(f"{MY}/Documents/me.jpg", answer({}, status, retry_after="60"))


@pytest.mark.parametrize("url", ["", OWN_URL, OWN_URL.replace(ID, COLLEAGUE)])
def test_not_chosen(url: str):
    """No picture, files of the picture library, and what we wrote are not a person's choice."""
    assert chosen(url) is None
    assert chosen(ELSEWHERE["another site"], wrote=ELSEWHERE["another site"]) is None
