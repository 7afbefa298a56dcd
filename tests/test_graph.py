"""What Graph's answers mean for a user and a photo."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoPhoto,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.graph import Fetched, GraphClient, User
from tests.web import Answer, Web, answer, http, in_turn

ID = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
ANNE = User(ID, "anne@contoso.com", account_enabled=True, is_guest=False)
FIELDS = {
    "id": ID,
    "userPrincipalName": "anne@contoso.com",
    "accountEnabled": True,
    "userType": "Member",
}
PHOTO = b"\xff\xd8\xff\xfb\xef\xbe"  # in base64 with + and /
ETAG = 'W/"c2f1"'


def client(web: Web) -> GraphClient:
    return GraphClient(http(web, audience="https://graph.contoso.com"))


def graph_error(code: str, status: int, **headers: str) -> Answer:
    return answer({"error": {"code": code, "message": "In words."}}, status, **headers)


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


PHOTO_FAULTS = [
    ("ImageNotFound", 404, NoPhoto),
    ("ErrorEntityNotFound", 404, NoPhoto),
    ("SomethingNew", 404, NoPhoto),
    ("Request_ResourceNotFound", 404, UnknownUser),
    ("ErrorInvalidUser", 404, UnknownUser),
    ("ErrorNonExistentMailbox", 404, NoMailbox),
    ("ErrorNonExistentMailbox", 400, NoMailbox),
    ("MailboxNotHostedInExchangeOnline", 404, NoMailbox),
    ("MailboxNotEnabledForRESTAPI", 403, NoMailbox),
    ("Authorization_RequestDenied", 403, AccessDenied),
    ("BadRequest", 400, Refused),
    ("Request_ResourceNotFound", 400, Refused),
    ("TooManyRequests", 429, Throttled),
    ("UnknownError", 500, ServiceDown),
]
PHOTO_FAULT_IDS = [f"{status} {code}" for code, status, _ in PHOTO_FAULTS]


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


# User and photo in one call


def inner(key: str, body: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"id": key, "status": status, "headers": named, "body": body}


def error_body(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "In words."}}


def text_of(photo: bytes) -> str:
    return base64.b64encode(photo).decode()


USER = inner("user", FIELDS)
IMAGE = inner("photo", text_of(PHOTO), Content_Type="image/jpeg")
AFTER = inner("etag", {"id": "504X504", "@odata.mediaEtag": ETAG})
NOT_ASKED = inner("etag", error_body("FailedDependency"), 424)
FETCHED = Fetched(ANNE, PHOTO, ETAG)


def batch(*responses: dict[str, Any]) -> Answer:
    return answer({"responses": responses})


def test_user_and_photo_in_one_call():
    """One batch asks for the user and for the largest photo, by object id."""
    sent: list[Any] = []

    def web(request: requests.PreparedRequest) -> Answer:
        sent.append((request.path_url, json.loads(request.body or b"")))
        return batch(USER, IMAGE, AFTER)

    assert client(web).user_and_photo(ID) == FETCHED
    [(path, body)] = sent
    assert path == "/v1.0/$batch"
    assert [(part["method"], part["url"].partition("?")[0]) for part in body["requests"]] == [
        ("GET", f"/users/{ID}"),
        ("GET", f"/users/{ID}/photo/$value"),
        ("GET", f"/users/{ID}/photo"),
    ]


def test_batch_is_fully_sequential():
    """The etag is asked for after the bytes, in the only form that orders parts of a batch."""
    sent: list[Any] = []

    def web(request: requests.PreparedRequest) -> Answer:
        sent.extend(json.loads(request.body or b"")["requests"])
        return batch(USER, IMAGE, AFTER)

    client(web).user_and_photo(ID)

    ids = [part["id"] for part in sent]
    assert [part.get("dependsOn") for part in sent] == [None, [ids[0]], [ids[1]]]


@pytest.mark.parametrize(
    "part",
    [
        inner("etag", {"@odata.mediaEtag": ETAG}, 500),
        inner("etag", error_body("TooManyRequests"), 429, retry_after="5"),
        inner("etag", error_body("ImageNotFound"), 404),
        inner("etag", {"id": "1x1", "@odata.mediaEtag": ""}),
        inner("etag", {"id": "504X504"}),
        inner("etag", [ETAG]),
        inner("etag", None),
    ],
    ids=["broken", "throttled", "gone", "one pixel", "no etag", "list", "nothing"],
)
def test_etag_after_the_bytes_unknown(part):
    """An etag that is not told after the bytes is empty, and the photo counts all the same."""
    assert client(in_turn(batch(USER, IMAGE, part))).user_and_photo(ID) == Fetched(ANNE, PHOTO, "")


def test_answers_in_any_order():
    """Each answer of a batch is found by its id, wherever it stands."""
    assert client(in_turn(batch(AFTER, IMAGE, USER))).user_and_photo(ID) == FETCHED


@given(st.binary(min_size=1), st.booleans(), st.booleans())
def test_every_base64(photo, urlsafe, padded):
    """A photo in a batch is read in both alphabets, with and without padding."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    text = encode(photo).decode()
    responses = batch(USER, inner("photo", text if padded else text.rstrip("=")), AFTER)

    assert client(in_turn(responses)).user_and_photo(ID).photo == photo


@pytest.mark.parametrize("body", [None, "", "not base64!", "abcde"])
def test_photo_that_does_not_fit_into_a_batch(body):
    """A photo whose form in the batch is unknown is asked for alone, and its etag after it."""
    later = answer({"id": "504X504", "@odata.mediaEtag": "later"})
    web = in_turn(batch(USER, inner("photo", body), AFTER), Answer(200, PHOTO), later)

    assert client(web).user_and_photo(ID) == Fetched(ANNE, PHOTO, "later")


def test_photo_gone_meanwhile():
    """A photo that is removed before it is asked for alone is no photo."""
    web = in_turn(batch(USER, inner("photo", None), AFTER), graph_error("ImageNotFound", 404))

    with pytest.raises(NoPhoto):
        client(web).user_and_photo(ID)


@pytest.mark.parametrize(("code", "status", "kind"), PHOTO_FAULTS, ids=PHOTO_FAULT_IDS)
def test_refused_photo_in_a_batch(code, status, kind):
    """A refusal inside a batch means what it means alone."""
    responses = batch(USER, inner("photo", error_body(code), status), NOT_ASKED)

    with pytest.raises(kind):
        client(in_turn(responses)).user_and_photo(ID)


def test_unknown_user_in_a_batch():
    """The user's own answer decides before the photo's."""
    responses = batch(
        inner("user", error_body("Request_ResourceNotFound"), 404),
        inner("photo", error_body("FailedDependency"), 424),
        NOT_ASKED,
    )

    with pytest.raises(UnknownUser):
        client(in_turn(responses)).user_and_photo(ID)


def test_throttled_inside_a_batch():
    """One part of a batch may be throttled and names its own wait, which may be a fraction."""
    part = inner("photo", error_body("TooManyRequests"), 429, retry_after="2.128")

    with pytest.raises(Throttled) as caught:
        client(in_turn(batch(USER, part, NOT_ASKED))).user_and_photo(ID)

    assert caught.value.retry_after == 2.128


@pytest.mark.parametrize(
    "responses",
    [(USER, AFTER), (IMAGE, AFTER), (USER, IMAGE), (), (USER, IMAGE, AFTER, inner("4th", None))],
    ids=["no photo", "no user", "no etag", "nothing", "one too many"],
)
def test_incomplete_batch(responses):
    """A batch without exactly the answers that were asked for is a passing fault."""
    with pytest.raises(ServiceDown, match="left an answer out"):
        client(in_turn(batch(*responses))).user_and_photo(ID)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (graph_error("Authorization_RequestDenied", 403), AccessDenied),
        (graph_error("NotFound", 404), Refused),
        (Answer(502, b"<html>"), ServiceDown),
    ],
    ids=["denied", "no batch", "gateway"],
)
def test_refused_batch(refusal, kind):
    """A batch that is refused as a whole says nothing about the user or the photo."""
    with pytest.raises(kind):
        client(in_turn(refusal)).user_and_photo(ID)


SHAPES: list[Any] = [None, [], "text", 5, {}, {"value": []}, [FIELDS]]
SHAPE_IDS = ["null", "empty list", "text", "number", "empty object", "value", "list"]
BATCHES = [
    {"responses": None},
    {"responses": [None]},
    {"responses": [{"status": 200}]},
    {"responses": [{"id": "user", "status": None}]},
    {"responses": [{"id": "user", "status": 200, "headers": "text"}]},
    {"responses": [{"id": ["user"], "status": 200}]},
]


@pytest.mark.parametrize("shape", SHAPES, ids=SHAPE_IDS)
def test_user_of_another_shape(shape):
    """JSON that is no user is refused with a sentence, alone and in a batch."""
    alone, inside = in_turn(answer(shape)), in_turn(batch(inner("user", shape), IMAGE, AFTER))

    with pytest.raises(Refused, match="JSON of an unknown shape"):
        client(alone).user(ID)
    if isinstance(shape, list | dict):
        with pytest.raises(Refused, match="JSON of an unknown shape"):
            client(inside).user_and_photo(ID)


@pytest.mark.parametrize("name", ["id", "userPrincipalName"])
def test_user_without_a_name(name):
    """A user whose id or UPN is null is refused: no picture goes to "None"."""
    with pytest.raises(Refused):
        client(in_turn(answer(FIELDS | {name: None}))).user(ID)


@pytest.mark.parametrize("shape", [None, [], "text", 5], ids=SHAPE_IDS[:4])
def test_metadata_of_another_shape(shape):
    """JSON that is no metadata of a photo is refused with a sentence."""
    with pytest.raises(Refused, match="JSON of an unknown shape"):
        client(in_turn(answer(shape))).photo_etag(ID)


@pytest.mark.parametrize("shape", [*SHAPES, *BATCHES])
def test_batch_of_another_shape(shape):
    """JSON that is no batch is refused with a sentence."""
    with pytest.raises(Refused, match="JSON of an unknown shape"):
        client(in_turn(answer(shape))).user_and_photo(ID)


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


# The group


GROUP = "0c000000-0000-4000-8000-000000000009"


def in_group(web: Web) -> GraphClient:
    return GraphClient(http(web, audience="https://graph.contoso.com"), GROUP)


def batch_of(**answers: tuple[int, Any]) -> Answer:
    said = [{"id": key, "status": s, "body": body} for key, (s, body) in answers.items()]
    return answer({"responses": said})


MEMBERSHIPS: dict[str, tuple[list[str], bool]] = {
    "member": ([GROUP.upper()], True),
    "no member": ([], False),
    "member of another": ([ID], False),
}


@pytest.mark.parametrize(("groups", "member"), MEMBERSHIPS.values(), ids=MEMBERSHIPS)
def test_membership_comes_with_the_user(groups, member):
    """With SYNC_GROUP_ID a user says whether he is in that group, whoever asks for him."""
    group = (200, {"value": groups})
    alone = in_group(in_turn(answer(FIELDS), batch_of(group=group))).user("anne@contoso.com")
    photo = (200, base64.b64encode(PHOTO).decode())
    etag = (200, {"id": "504X504", "@odata.mediaEtag": ETAG})
    together = batch_of(user=(200, FIELDS), group=group, photo=photo, etag=etag)

    assert alone.in_group is member
    assert in_group(in_turn(together)).user_and_photo(ID).user.in_group is member


def test_group_is_asked_about_the_user():
    """The question names the user by id and the group that is meant."""
    asked: list[Any] = []

    def web(request: requests.PreparedRequest) -> Answer:
        if "$batch" not in request.path_url:
            return answer(FIELDS)
        asked.extend(json.loads(request.body or b"")["requests"])
        return batch_of(group=(200, {"value": []}))

    in_group(web).user("anne@contoso.com")

    [question] = asked
    assert (question["method"], question["url"]) == ("POST", f"/users/{ID}/checkMemberGroups")
    assert question["body"] == {"groupIds": [GROUP]}


def test_group_that_cannot_be_asked():
    """A group that could not be asked is the reason, not the photo that was left out for it."""
    error = {"error": {"code": "TooManyRequests", "message": "Busy."}}
    left_out = {"error": {"code": "FailedDependency", "message": "Left out."}}
    said = batch_of(
        user=(200, FIELDS), group=(429, error), photo=(424, left_out), etag=(424, left_out)
    )

    with pytest.raises(Throttled):
        in_group(in_turn(said)).user_and_photo(ID)
