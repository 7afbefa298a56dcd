"""What Graph's answers mean for a user, for a photo's etag and for names."""

from __future__ import annotations

import json

import pytest
import requests

from shared.errors import AccessDenied, NoMailbox, NoPhoto, Refused, Throttled, UnknownUser
from shared.graph.client import ScaledPhoto
from shared.user import User
from tests.doubles.web import Answer, Web, answer, in_turn
from tests.shared.graph.graph_answers import (
    AFTER,
    ANNE,
    ETAG,
    FIELDS,
    ID,
    IMAGE,
    PHOTO_FAULT_IDS,
    PHOTO_FAULTS,
    SHAPE_IDS,
    SHAPES,
    batch,
    batch_of,
    client,
    graph_error,
    inner,
)

# A photo that is too large to be read


def test_scaled_photo():
    """The largest rendition is asked for, and then what photo there is."""
    asked = []

    def web(request: requests.PreparedRequest) -> Answer:
        asked.append(request.path_url)
        if request.path_url.endswith("$value"):
            return Answer(200, b"smaller", {"Content-Type": "image/jpeg"})
        return answer({"id": "9000X9000", "@odata.mediaEtag": ETAG})

    assert client(web).scaled_photo(ID) == ScaledPhoto(b"smaller", ETAG)
    assert asked == [f"/v1.0/users/{ID}/photos/648x648/$value", f"/v1.0/users/{ID}/photo"]


@pytest.mark.parametrize(
    "after", [answer({}, 500), answer({"id": "1x1"}), graph_error("ImageNotFound", 404)]
)
def test_scaled_photo_without_etag(after):
    """An etag that is not told is empty: nobody knows then of which photo the rendition is."""
    web = in_turn(Answer(200, b"smaller", {"Content-Type": "image/jpeg"}), after)

    assert client(web).scaled_photo(ID) == ScaledPhoto(b"smaller", "")


def test_single_pixel_is_no_rendition():
    """The GIF of one pixel that stands for what is missing is nobody's picture."""
    with pytest.raises(NoPhoto):
        client(in_turn(Answer(200, b"GIF89a", {"Content-Type": "image/gif"}))).scaled_photo(ID)


@pytest.mark.parametrize(("code", "status", "kind"), PHOTO_FAULTS, ids=PHOTO_FAULT_IDS)
def test_refused_rendition(code, status, kind):
    """A refusal means what it means for the photo itself."""
    with pytest.raises(kind):
        client(in_turn(graph_error(code, status))).scaled_photo(ID)


# The photo's etag


def test_etag_of_the_photo():
    """The etag is the one of the photo's metadata."""
    metadata = answer({"id": "504X504", "@odata.mediaEtag": ETAG})

    assert client(in_turn(metadata)).photo_etag(ID) == ETAG


def test_photo_without_etag():
    """A photo whose etag Graph does not tell has an empty one, which nothing equals."""
    assert client(in_turn(answer({"id": "504X504"}))).photo_etag(ID) == ""


def test_user_in_an_address_is_encoded():
    """A UPN with signs that mean something in an address names that user and no other."""
    asked: list[str] = []

    def web(request: requests.PreparedRequest) -> Answer:
        asked.append(str(request.url))
        return answer({})

    client(web).photo_etag("o'neil+x#EXT#@contoso.com")

    assert asked == [
        "https://graph.contoso.com/v1.0/users/o%27neil%2Bx%23EXT%23%40contoso.com/photo"
    ]


def test_upn_that_begins_with_a_dollar():
    """A UPN that looks like an option of the query is put into quotes, as Graph asks for."""
    asked: list[str] = []

    def web(request: requests.PreparedRequest) -> Answer:
        asked.append(request.path_url)
        return answer(FIELDS)

    client(web).user("$o'neil@contoso.com")

    assert asked[0].startswith("/v1.0/users('$o%27%27neil%40contoso.com')?$select=")


@pytest.mark.parametrize("size", ["1x1", "1X1"])
def test_no_photo_as_documented(size):
    """Metadata of one pixel means that there is no photo."""
    with pytest.raises(NoPhoto):
        client(in_turn(answer({"id": size, "@odata.mediaEtag": ""}))).photo_etag(ID)


@pytest.mark.parametrize(("code", "status", "kind"), PHOTO_FAULTS, ids=PHOTO_FAULT_IDS)
def test_refused_metadata(code, status, kind):
    """No mailbox by its code, no user by code and status, no photo by the status alone."""
    with pytest.raises(kind):
        client(in_turn(graph_error(code, status))).photo_etag(ID)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Refused),
        (b"<html>", Refused),
        (b'{"error": "text"}', Refused),
        (b"[1]", Refused),
        (b"[" * 200_000, Refused),
        (b'{"error": {"code": "ErrorNonExistentMailbox"}}', NoMailbox),
    ],
    ids=["empty", "page", "text", "list", "deep", "code alone"],
)
def test_error_without_its_usual_form(body, kind):
    """A 404 that is not Graph's own never passes for a photo that is gone."""
    with pytest.raises(kind):
        client(in_turn(Answer(404, body))).photo_etag(ID)


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
    ids=["member", "id in capitals", "not told", "disabled", "guest"],
)
def test_user_as_graph_knows_it(fields, user):
    """Only what Graph says makes a user a guest or disabled; the id is in small letters."""
    assert client(in_turn(answer(FIELDS | fields))).user("anne@contoso.com") == user


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Request_ResourceNotFound", 404, UnknownUser),
        ("SomethingNew", 404, UnknownUser),
        ("Authorization_RequestDenied", 403, AccessDenied),
    ],
    ids=["unknown", "unknown by status", "denied"],
)
def test_refused_user(code, status, kind):
    """A user that is not found is settled, anything else is an error."""
    with pytest.raises(kind):
        client(in_turn(graph_error(code, status))).user("anne@contoso.com")


@pytest.mark.parametrize("shape", SHAPES, ids=SHAPE_IDS)
def test_user_of_another_shape(shape):
    """JSON that is no user is refused with a sentence, alone and in a batch."""
    alone, inside = in_turn(answer(shape)), in_turn(batch(inner("user", shape), IMAGE, AFTER))

    with pytest.raises(Refused, match="with unexpected JSON"):
        client(alone).user(ID)
    if isinstance(shape, list | dict):
        with pytest.raises(Refused, match="with unexpected JSON"):
            client(inside).user_and_photo(ID)


@pytest.mark.parametrize("name", ["id", "userPrincipalName"])
def test_user_without_a_name(name):
    """A user whose id or UPN is null is refused: no picture goes to "None"."""
    with pytest.raises(Refused):
        client(in_turn(answer(FIELDS | {name: None}))).user(ID)


@pytest.mark.parametrize("shape", [None, [], "text", 5], ids=SHAPE_IDS[:4])
def test_metadata_of_another_shape(shape):
    """JSON that is no metadata of a photo is refused with a sentence."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        client(in_turn(answer(shape))).photo_etag(ID)


# Whether a name is somebody's

NOBODY = (404, {"error": {"code": "Request_ResourceNotFound", "message": "In words."}})
BUSY = (429, {"error": {"code": "TooManyRequests", "message": "Busy."}})


def batches(*known: str, busy: bool = False) -> Web:
    """A directory with *known* in it."""

    def web(request: requests.PreparedRequest) -> Answer:
        asked = [item["id"] for item in json.loads(request.body or b"")["requests"]]
        other = BUSY if busy else NOBODY
        return batch_of(**{upn: (200, {"id": ID}) if upn in known else other for upn in asked})

    return web


NAMES = [f"name{number}@contoso.com" for number in range(25)]


@pytest.mark.parametrize(("known", "found"), [((), False), (NAMES[:1], True), (NAMES[-1:], True)])
def test_names_that_somebody_has(known, found):
    """One user of any of the names is enough, however many names there are."""
    assert client(batches(*known)).knows_any(NAMES) is found


def test_names_that_cannot_be_asked_about():
    """Not to know is not to know that there is nobody."""
    with pytest.raises(Throttled):
        client(batches(busy=True)).knows_any(NAMES)
