"""Several requests to Graph in one call."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Refused, ServiceDown, Throttled
from shared.graph import batch
from shared.graph.errors import photo_fault
from shared.microsoft365.reply import Reply
from tests.doubles.web import Answer, Recorded, answer, http, in_turn
from tests.shared.graph.graph_answers import SHAPES, inner

ONE, TWO = batch.get("1", "/users/a"), batch.get("2", "/users/b")


def send(*responses: Any) -> dict[str, Reply]:
    requests_ = [batch.get(key, "/users") for key in {each["id"] for each in responses}]
    return batch.send(http(in_turn(answer({"responses": responses}))), requests_)


def test_one_call_for_all():
    """All requests go in one POST, which accepts only JSON: other formats break binary bodies."""
    web = Recorded(answer({"responses": [inner("2", "Mg"), inner("1", "MQ")]}))
    requests_ = [ONE, batch.post("2", "/users/b/checkMemberGroups", {"groupIds": ["g"]})]
    answers = batch.send(http(web), requests_)

    [sent] = web.requests
    assert (sent.method, sent.path_url) == ("POST", "/v1.0/$batch")
    assert sent.headers["Accept"] == "application/json"
    assert web.batched == [
        {"id": "1", "method": "GET", "url": "/users/a"},
        {
            "id": "2",
            "method": "POST",
            "url": "/users/b/checkMemberGroups",
            "headers": {"Content-Type": "application/json"},
            "body": {"groupIds": ["g"]},
        },
    ]
    assert {key: reply.body for key, reply in answers.items()} == {"1": b"1", "2": b"2"}


def test_in_turn():
    """Each request depends on the one before; the order stays."""
    assert batch.in_turn([ONE, TWO]) == [ONE, {**TWO, "dependsOn": ["1"]}]
    assert batch.in_turn([ONE]) == [ONE]
    assert "dependsOn" not in TWO


def test_answer_in_a_batch():
    """Each answer has its own status, headers in any case, wait and body."""
    [reply] = send(inner("1", {"a": 1}, 429, retry_after="2.5")).values()

    assert (reply.service, reply.status, reply.retry_after) == ("sharepoint", 429, 2.5)
    assert reply.headers["Retry-After"] == "2.5"
    assert reply.json() == {"a": 1}


@pytest.mark.parametrize(
    "answered", [inner("1", None), {"id": "1", "status": "200"}], ids=["null", "nothing"]
)
def test_answer_without_body_or_headers(answered):
    """A missing body is empty, and so are missing headers."""
    [reply] = send(answered).values()

    assert (reply.status, reply.body, reply.retry_after) == (200, b"", None)


@given(st.binary(), st.booleans(), st.booleans())
def test_binary_body(content, urlsafe, padded):
    """Bytes come as base64, in both alphabets, with and without padding."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    text = encode(content).decode()

    [reply] = send(inner("1", text if padded else text.rstrip("="))).values()
    assert reply.body == content


@pytest.mark.parametrize("text", ["not base64!", "abcde", "ä"])
def test_body_in_an_unknown_form(text):
    """Text that is not base64 is an empty body: the caller repeats the request alone."""
    [reply] = send(inner("1", text)).values()

    assert reply.body == b""


@pytest.mark.parametrize(
    "odd",
    [
        [],
        [7],
        [{"status": 200}],
        [{"id": ["2"], "status": 200}],
        [{"id": "2"}],
        [{"id": "2", "status": None}],
        [{"id": "2", "status": "many"}],
        [{"id": "2", "status": 200, "headers": "text"}],
    ],
    ids=["none", "number", "no id", "odd id", "no status", "null", "text", "odd headers"],
)
def test_request_without_a_valid_answer(odd):
    """Only that request has failed, and only for now; the others have their answers."""
    response = answer({"responses": [*odd, inner("1", None), inner("not requested", None)]})
    found = batch.send(http(in_turn(response)), [ONE, TWO])

    assert {key: reply.status for key, reply in found.items()} == {"1": 200, "2": 502}
    assert isinstance(photo_fault(found["2"]), ServiceDown)


@pytest.mark.parametrize("body", [*SHAPES, {"responses": None}, {"responses": 7}])
def test_unknown_shape(body):
    """A batch of an unknown shape is refused."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        batch.send(http(in_turn(answer(body))), [ONE])


def test_refused_batch():
    """A refusal of the batch applies to all its requests."""
    with pytest.raises(Throttled):
        batch.send(http(in_turn(Answer(429))), [ONE])
