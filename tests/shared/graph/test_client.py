"""What Graph's answers mean for a user, a photo and its etag."""

from __future__ import annotations

import pytest
import requests

from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoPhoto,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.graph.client import ScaledPhoto
from shared.user import User
from tests.doubles.web import Answer, Recorded, Web, answer, in_turn
from tests.shared.graph.graph_answers import (
    ANNE,
    ETAG,
    FIELDS,
    ID,
    SHAPES,
    SKIPPED,
    USER,
    Batches,
    batch,
    client,
    error_body,
    graph_error,
    inner,
)

# A photo that is too large to be read


def test_scaled_photo():
    """The largest rendition is requested, and then the photo's metadata."""

    def response(request: requests.PreparedRequest) -> Answer:
        if request.path_url.endswith("$value"):
            return Answer(200, b"smaller", {"Content-Type": "image/jpeg"})
        return answer({"id": "9000X9000", "@odata.mediaEtag": ETAG})

    web = Recorded(response)
    assert client(web).scaled_photo(ID) == ScaledPhoto(b"smaller", ETAG)
    assert web.paths == [f"/v1.0/users/{ID}/photos/648x648/$value", f"/v1.0/users/{ID}/photo"]


@pytest.mark.parametrize(
    "after", [answer({}, 500), answer({"id": "1x1"}), graph_error("ImageNotFound", 404)]
)
def test_scaled_photo_without_etag(after):
    """If the etag is unknown, it is empty: the rendition may be of any photo."""
    web = in_turn(Answer(200, b"smaller", {"Content-Type": "image/jpeg"}), after)

    assert client(web).scaled_photo(ID) == ScaledPhoto(b"smaller", "")


def test_single_pixel_is_no_rendition():
    """The GIF of one pixel stands for a missing rendition."""
    with pytest.raises(NoPhoto):
        client(in_turn(Answer(200, b"GIF89a", {"Content-Type": "image/gif"}))).scaled_photo(ID)


# The photo's etag


@pytest.mark.parametrize(
    ("metadata", "etag"),
    [({"id": "504X504", "@odata.mediaEtag": ETAG}, ETAG), ({"id": "504X504"}, "")],
    ids=["etag", "none"],
)
def test_etag_of_the_photo(metadata, etag):
    """The etag is the one in the photo's metadata, empty if there is none."""
    assert client(in_turn(answer(metadata))).photo_etag(ID) == etag


def test_upn_in_a_url():
    """Characters with a meaning in URLs are encoded; a leading dollar needs OData quotes."""
    web = Recorded(answer(FIELDS))
    client(web).photo_etag("o'neil+x#EXT#@contoso.com")
    client(web).user("$o'neil@contoso.com")

    assert web.requests[0].url == (
        "https://graph.contoso.com/v1.0/users/o%27neil%2Bx%23EXT%23%40contoso.com/photo"
    )
    assert web.paths[1].startswith("/v1.0/users('$o%27%27neil%40contoso.com')?$select=")


@pytest.mark.parametrize("size", ["1x1", "1X1"])
def test_no_photo_as_documented(size):
    """Metadata of one pixel means that there is no photo."""
    with pytest.raises(NoPhoto):
        client(in_turn(answer({"id": size, "@odata.mediaEtag": ""}))).photo_etag(ID)


PHOTO_FAULTS = [
    ("ImageNotFound", 404, NoPhoto),
    ("ErrorEntityNotFound", 404, NoPhoto),
    ("ErrorItemNotFound", 404, NoPhoto),
    ("GetUserPhoto", 404, NoPhoto),
    ("ResourceNotFound", 404, NoMailbox),
    ("AuthenticationError", 400, NoMailbox),
    ("Request_ResourceNotFound", 404, UnknownUser),
    ("ErrorInvalidUser", 404, UnknownUser),
    ("ErrorNonExistentMailbox", 404, NoMailbox),
    ("ErrorNonExistentMailbox", 400, NoMailbox),
    ("MailboxNotHostedInExchangeOnline", 404, NoMailbox),
    ("MailboxNotEnabledForRESTAPI", 403, NoMailbox),
    ("Authorization_RequestDenied", 403, AccessDenied),
    ("BadRequest", 400, Refused),
    ("Request_ResourceNotFound", 400, Refused),
    ("ErrorItemNotFound", 400, Refused),
    ("TooManyRequests", 429, Throttled),
    ("UnknownError", 500, ServiceDown),
]
# The sentences of errors that do not quote the response.
SENTENCES: dict[type[Exception], str] = {
    NoPhoto: "The user has no photo in Exchange.",
    NoMailbox: "The user has no mailbox in Exchange Online, so there is no photo.",
    UnknownUser: "Microsoft Graph has no such user.",
}


@pytest.mark.parametrize(("code", "status", "kind"), PHOTO_FAULTS)
def test_refused_photo(code, status, kind):
    """A code means the same for a photo, its etag and its rendition, alone and in a batch."""
    alone = client(in_turn(graph_error(code, status)))
    inside = client(in_turn(USER, batch(inner("photo", error_body(code), status), SKIPPED)))

    for call in (alone.photo_etag, alone.scaled_photo, inside.user_and_photo):
        with pytest.raises(kind) as caught:
            call(ID)
        assert str(caught.value).endswith(SENTENCES.get(kind, ""))


NOT_GRAPHS = "This 404 did not come from Microsoft Graph: check GRAPH_URL and proxies."
NEW = (
    "Microsoft Graph answered 404 SomethingNew. This code does not prove that the user has no "
    "photo, so the picture in SharePoint is kept."
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (404, b"", Refused, NOT_GRAPHS),
        (404, b"<html>", Refused, NOT_GRAPHS),
        (404, b'{"error": "text"}', Refused, NOT_GRAPHS),
        (404, b"[1]", Refused, NOT_GRAPHS),
        (404, b"[" * 200_000, Refused, NOT_GRAPHS),
        (404, b'{"error": {"code": "ErrorNonExistentMailbox"}}', NoMailbox, SENTENCES[NoMailbox]),
        (404, b'{"error": {"code": "SomethingNew"}}', Refused, NEW),
        (400, b'{"error": {"code": "BadRequest"}}', Refused, "answered 400: BadRequest"),
    ],
    ids=["empty", "page", "text", "list", "deep", "code alone", "new code", "other status"],
)
def test_malformed_error(status, body, kind, sentence):
    """A 404 without a known code never means that the photo is gone."""
    with pytest.raises(kind) as caught:
        client(in_turn(Answer(status, body))).photo_etag(ID)
    assert str(caught.value).endswith(sentence)


# The user


@pytest.mark.parametrize(
    ("fields", "user"),
    [
        ({}, ANNE),
        ({"id": ID.upper()}, ANNE),
        ({"accountEnabled": None, "userType": None}, ANNE),
        ({"accountEnabled": False}, User(ID, "anne@contoso.com", False, False)),
        ({"userType": "Guest"}, User(ID, "anne@contoso.com", True, True)),
    ],
    ids=["member", "id in capitals", "unknown", "disabled", "guest"],
)
def test_user(fields, user):
    """A user is a guest or disabled only if Graph says so; the id is in lower case."""
    assert client(in_turn(answer(FIELDS | fields))).user("anne@contoso.com") == user


def test_refused_user():
    """Any 404 of Graph's own means that there is no such user."""
    with pytest.raises(UnknownUser, match=f"^{SENTENCES[UnknownUser]}$"):
        client(in_turn(graph_error("SomethingNew", 404))).user("anne@contoso.com")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_malformed_user(shape):
    """JSON that is no user is refused with a sentence."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        client(in_turn(answer(shape))).user(ID)


@pytest.mark.parametrize("name", ["id", "userPrincipalName"])
def test_user_without_a_name(name):
    """A user whose id or UPN is null is refused."""
    with pytest.raises(Refused):
        client(in_turn(answer(FIELDS | {name: None}))).user(ID)


# Whether a name is in use

NOT_FOUND = inner("", error_body("Request_ResourceNotFound"), 404)


def batches(*known: str, busy: bool = False) -> Web:
    """A directory with only *known* users."""
    other = inner("", error_body("TooManyRequests"), 429) if busy else NOT_FOUND
    return Batches(lambda each: inner("", {"id": ID}) if each["id"] in known else other)


NAMES = [f"name{number}@contoso.com" for number in range(25)]


@pytest.mark.parametrize(("known", "found"), [((), False), (NAMES[:1], True), (NAMES[-1:], True)])
def test_names_in_use(known, found):
    """One user with any of the names is enough, however many names there are."""
    assert client(batches(*known)).knows_any(NAMES) is found


def test_names_that_cannot_be_looked_up():
    """An unknown answer does not mean that no user has the name."""
    with pytest.raises(Throttled):
        client(batches(busy=True)).knows_any(NAMES)
