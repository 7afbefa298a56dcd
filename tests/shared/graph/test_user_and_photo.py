"""User and photo in one call: what is asked, and what the answers mean."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import AccessDenied, NoPhoto, Refused, ServiceDown, Throttled, UnknownUser
from shared.graph.client import Fetched
from tests.doubles.web import Answer, answer, in_turn
from tests.shared.graph.graph_answers import (
    AFTER,
    ANNE,
    ETAG,
    FETCHED,
    ID,
    IMAGE,
    NOT_ASKED,
    PHOTO,
    PHOTO_FAULT_IDS,
    PHOTO_FAULTS,
    SHAPES,
    USER,
    batch,
    client,
    error_body,
    graph_error,
    inner,
)


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
    "responses", [(USER, AFTER), (IMAGE, AFTER), ()], ids=["no photo", "no user", "nothing"]
)
def test_incomplete_batch(responses):
    """Without the user or the photo it is a passing fault."""
    with pytest.raises(ServiceDown, match="no valid response to this request"):
        client(in_turn(batch(*responses))).user_and_photo(ID)


def test_batch_without_the_etag():
    """The photo is there: the etag only spares the next run a look at its bytes."""
    assert client(in_turn(batch(USER, IMAGE))).user_and_photo(ID).etag == ""


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


@pytest.mark.parametrize("shape", [*SHAPES, {"responses": None}])
def test_batch_of_another_shape(shape):
    """JSON that is no batch is refused with a sentence."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        client(in_turn(answer(shape))).user_and_photo(ID)
