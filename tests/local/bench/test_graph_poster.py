"""Notifications as the bench posts them."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime

import pytest
import requests

from local.bench.burst.graph_poster import GraphPoster
from local.cloud.endpoints import Endpoints
from shared.settings.webhook import WebhookSettings
from shared.webhook.notifications import Accepted, accept
from tests.doubles.web import Answer, FunctionAdapter

AT = Endpoints(**{each.name: f"https://{each.name}" for each in fields(Endpoints)})


class Webhook:
    """Always answers, or fails, in one way; keeps the bodies."""

    def __init__(self, end: int | Exception) -> None:
        self._end = end
        self.bodies: list[bytes] = []

    def poster(self) -> GraphPoster:
        return GraphPoster(AT, session=self._session)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.mount("https://", FunctionAdapter(self._answer))
        return session

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        assert isinstance(request.body, bytes)
        self.bodies.append(request.body)
        if isinstance(self._end, Exception):
            raise self._end
        return Answer(self._end)


@pytest.mark.parametrize(
    ("end", "status", "accepted"),
    [(202, 202, True), (500, 500, False), (requests.ReadTimeout(), 0, False)],
    ids=["accepted", "refused", "no answer"],
)
def test_a_post_has_one_answer(end: int | Exception, status: int, accepted: bool):
    """A POST is made once, and its answer says whether it was accepted."""
    webhook = Webhook(end)
    answer = webhook.poster().post(["a"])

    assert (answer.status, answer.accepted) == (status, accepted)
    assert len(webhook.bodies) == 1


def test_mistake_ends_the_measurement():
    """A mistake of the bench itself is not taken for a lost answer."""
    with pytest.raises(requests.exceptions.InvalidURL):
        Webhook(requests.exceptions.InvalidURL()).poster().post(["a"])


def test_items_are_genuine():
    """Each user has an item that the webhook accepts as Graph's: none is ignored or merged."""
    webhook = Webhook(202)
    webhook.poster().post([f"6ea91a8d-0000-4000-8000-{n:012}" for n in range(100)])
    items = json.loads(webhook.bodies[0])["value"]
    settings = WebhookSettings(items[0]["tenantId"], AT.client_state)
    found = accept(webhook.bodies[0], settings, now=datetime.now(UTC), new_id=lambda: "1")

    assert isinstance(found, Accepted)
    assert (found.users, len(found.ignored)) == (100, 0)
