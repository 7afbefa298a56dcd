"""Notifications as the bench posts them."""

from __future__ import annotations

from dataclasses import fields

import pytest
import requests

from local.bench.burst.graph_poster import GraphPoster
from local.cloud.endpoints import Endpoints
from tests.doubles.web import Answer, FunctionAdapter, Recorded, Web, in_turn

AT = Endpoints(**{each.name: f"https://{each.name}" for each in fields(Endpoints)})


def poster(web: Web) -> GraphPoster:
    session = requests.Session()
    session.mount("https://", FunctionAdapter(web))
    return GraphPoster(AT, session=lambda: session)


@pytest.mark.parametrize(
    ("end", "status", "accepted"),
    [(Answer(202), 202, True), (Answer(500), 500, False), (requests.ReadTimeout(), 0, False)],
    ids=["accepted", "refused", "no answer"],
)
def test_a_post_has_one_answer(end: Answer | Exception, status: int, accepted: bool):
    """A POST is made once, and its answer says whether it was accepted."""
    webhook = Recorded(in_turn(end))
    answer = poster(webhook).post(["a"])

    assert (answer.status, answer.accepted) == (status, accepted)
    assert len(webhook.requests) == 1


def test_mistake_ends_the_measurement():
    """A mistake of the bench itself is not taken for a lost answer."""
    with pytest.raises(requests.exceptions.InvalidURL):
        poster(in_turn(requests.exceptions.InvalidURL())).post(["a"])
