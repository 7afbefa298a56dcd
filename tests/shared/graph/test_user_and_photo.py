"""User and photo, read concurrently: what is requested, and what the answers mean."""

from __future__ import annotations

import pytest

from shared.errors import ServiceDown, Throttled, UnknownUser
from shared.graph.client import Fetched, GraphClient
from tests.doubles.at_once import backwards
from tests.doubles.web import Answer, Recorded, answer, http, in_turn
from tests.shared.graph.graph_answers import (
    AFTER,
    ANNE,
    ETAG,
    FETCHED,
    ID,
    IMAGE,
    PHOTO,
    SKIPPED,
    USER,
    batch,
    client,
    error_body,
    graph_error,
    inner,
)


def test_requests():
    """The user alone; beside it, one sequential batch has the largest photo, then the etag."""
    web = Recorded(in_turn(USER, batch(AFTER, IMAGE)))

    assert client(web).user_and_photo(ID) == FETCHED
    assert [path.partition("?")[0] for path in web.paths] == [f"/v1.0/users/{ID}", "/v1.0/$batch"]
    photo, etag = web.batched
    assert (photo["method"], photo["url"]) == ("GET", f"/users/{ID}/photo/$value")
    assert (etag["method"], etag["url"]) == ("GET", f"/users/{ID}/photo")
    assert (photo.get("dependsOn"), etag["dependsOn"]) == (None, [photo["id"]])


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
    assert client(in_turn(USER, batch(IMAGE, part))).user_and_photo(ID) == Fetched(ANNE, PHOTO, "")


@pytest.mark.parametrize("body", [None, "", "not base64!", "abcde"])
def test_photo_that_does_not_fit_into_a_batch(body):
    """A photo in an unknown form is requested alone, and its etag after it."""
    later = answer({"id": "504X504", "@odata.mediaEtag": "later"})
    web = in_turn(USER, batch(inner("photo", body), AFTER), Answer(200, PHOTO), later)

    assert client(web).user_and_photo(ID) == Fetched(ANNE, PHOTO, "later")


def test_unknown_user():
    """The error about the user decides, not the one about the photo."""
    unknown = graph_error("Request_ResourceNotFound", 404)
    web = in_turn(unknown, batch(inner("photo", error_body("ErrorItemNotFound"), 404), SKIPPED))

    with pytest.raises(UnknownUser):
        client(web).user_and_photo(ID)


@pytest.mark.parametrize(("user_asks", "photo_asks"), [("20", "90"), ("90", "20")])
def test_longer_wait_wins(user_asks, photo_asks):
    """If both ask for a wait, the longer one counts, or a retry meets the other error."""
    user = graph_error("TooManyRequests", 429, Retry_After=user_asks)
    busy = inner("photo", error_body("ApplicationThrottled"), 429, Retry_After=photo_asks)
    # The photo first: once the user's request is refused, nothing is sent.
    web = http(in_turn(batch(busy, SKIPPED), user))

    with pytest.raises(Throttled) as raised:
        GraphClient(web, at_once=backwards).user_and_photo(ID)

    assert raised.value.retry_after == 90


@pytest.mark.parametrize("responses", [(AFTER,), ()], ids=["no photo", "nothing"])
def test_incomplete_batch(responses):
    """Without the photo, the call has failed for now."""
    with pytest.raises(ServiceDown, match="no valid response to this request"):
        client(in_turn(USER, batch(*responses))).user_and_photo(ID)
