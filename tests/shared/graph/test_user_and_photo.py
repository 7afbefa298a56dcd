"""User and photo in one call: what is requested, and what the answers mean."""

from __future__ import annotations

import pytest

from shared.errors import ServiceDown
from shared.graph.client import Fetched
from tests.doubles.web import Answer, Recorded, answer, in_turn
from tests.shared.graph.graph_answers import (
    AFTER,
    ANNE,
    ETAG,
    FETCHED,
    ID,
    IMAGE,
    PHOTO,
    USER,
    batch,
    client,
    error_body,
    inner,
)


def test_user_and_photo_in_one_call():
    """One sequential batch has the user, then the largest photo, then the etag."""
    web = Recorded(batch(AFTER, IMAGE, USER))

    assert client(web).user_and_photo(ID) == FETCHED
    assert web.paths == ["/v1.0/$batch"]
    assert [(part["method"], part["url"].partition("?")[0]) for part in web.batched] == [
        ("GET", f"/users/{ID}"),
        ("GET", f"/users/{ID}/photo/$value"),
        ("GET", f"/users/{ID}/photo"),
    ]
    ids = [part["id"] for part in web.batched]
    assert [part.get("dependsOn") for part in web.batched] == [None, [ids[0]], [ids[1]]]


@pytest.mark.parametrize(
    "part",
    [
        inner("not requested", None),
        inner("etag", {"@odata.mediaEtag": ETAG}, 500),
        inner("etag", error_body("TooManyRequests"), 429, retry_after="5"),
        inner("etag", error_body("ImageNotFound"), 404),
        inner("etag", {"id": "1x1", "@odata.mediaEtag": ""}),
        inner("etag", {"id": "504X504"}),
        inner("etag", [ETAG]),
        inner("etag", None),
    ],
    ids=["missing", "broken", "throttled", "gone", "one pixel", "no etag", "list", "nothing"],
)
def test_etag_after_the_bytes_unknown(part):
    """If the etag is unknown after the bytes, it is empty, and the photo is still returned."""
    assert client(in_turn(batch(USER, IMAGE, part))).user_and_photo(ID) == Fetched(ANNE, PHOTO, "")


@pytest.mark.parametrize("body", [None, "", "not base64!", "abcde"])
def test_photo_that_does_not_fit_into_a_batch(body):
    """A photo in an unknown form is requested alone, and its etag after it."""
    later = answer({"id": "504X504", "@odata.mediaEtag": "later"})
    web = in_turn(batch(USER, inner("photo", body), AFTER), Answer(200, PHOTO), later)

    assert client(web).user_and_photo(ID) == Fetched(ANNE, PHOTO, "later")


@pytest.mark.parametrize(
    "responses", [(USER, AFTER), (IMAGE, AFTER), ()], ids=["no photo", "no user", "nothing"]
)
def test_incomplete_batch(responses):
    """Without the user or the photo, the call has failed for now."""
    with pytest.raises(ServiceDown, match="no valid response to this request"):
        client(in_turn(batch(*responses))).user_and_photo(ID)
