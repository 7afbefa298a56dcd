"""Notifications as the bench posts them: until they are accepted, as Graph does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields

import pytest
import requests

from local.bench.burst.graph_poster import GraphPoster
from local.cloud.endpoints import Endpoints
from tests.doubles.web import Answer, FunctionAdapter

AT = Endpoints(**{each.name: f"https://{each.name}" for each in fields(Endpoints)})


class Webhook:
    """Answers, or fails, as it is told to; keeps the bodies."""

    def __init__(self, *ends: int | Exception) -> None:
        self._ends: Iterator[int | Exception] = iter(ends)
        self.bodies: list[bytes] = []
        self.waits: list[float] = []

    def poster(self) -> GraphPoster:
        return GraphPoster(AT, session=self._session, sleep=self.waits.append)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.mount("https://", FunctionAdapter(self._answer))
        return session

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        assert isinstance(request.body, bytes)
        self.bodies.append(request.body)
        end = next(self._ends, 500)
        if isinstance(end, Exception):
            raise end
        return Answer(end)


def test_posts_again_until_accepted():
    """After an error, or no answer at all, the same items are posted again, later each time."""
    webhook = Webhook(500, requests.ReadTimeout(), 202)
    poster = webhook.poster()

    assert poster.post(["a", "b"])
    assert [answer.status for answer in poster.answers] == [500, 0, 202]
    assert len(set(webhook.bodies)) == 1
    assert webhook.waits == sorted(webhook.waits) != [0, 0, 0]


def test_gives_up_in_the_end():
    """What is never accepted is told, and not posted for ever."""
    poster = Webhook().poster()

    assert not poster.post(["a"])
    assert {answer.status for answer in poster.answers} == {500}


def test_what_is_no_answer_ends_the_burst():
    """A mistake of the bench itself is not taken for a lost answer."""
    poster = Webhook(requests.exceptions.InvalidURL()).poster()

    with pytest.raises(requests.exceptions.InvalidURL):
        poster.post(["a"])


def test_items_are_genuine():
    """Each user has an item that the webhook accepts as Graph's."""
    webhook = Webhook(202)
    webhook.poster().post(["a", "b"])
    items = json.loads(webhook.bodies[0])["value"]

    assert [item["resourceData"]["id"] for item in items] == ["a", "b"]
    assert {item["clientState"] for item in items} == {AT.client_state}
