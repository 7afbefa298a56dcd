"""Users, groups and subscriptions in Graph."""

from __future__ import annotations

import json
import uuid

from admin.acceptance.finding import NotRun, Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.wording import of_graph
from shared.graph.subscriptions import SubscriptionClient
from shared.graph.user_search import UserSearch

_JSON = {"Content-Type": "application/json"}
_SUBSCRIPTIONS = "/v1.0/subscriptions"


def _search(scene: Scene) -> Seen:
    # The full name, so that users with similar names do not fill the results.
    found = UserSearch(scene.m365.graph_http).search(scene.user.user_principal_name)
    is_found = any(each.id == scene.user.id for each in found)
    return Seen(f"{'found' if is_found else 'not found'} by the UPN, of {len(found)}", is_found)


def _unknown_group(scene: Scene) -> Seen:
    reply = scene.m365.graph_http.send(
        "POST",
        f"/v1.0/users/{scene.user.id}/checkMemberGroups",
        headers=_JSON,
        body=json.dumps({"groupIds": [str(uuid.uuid4())]}).encode(),
    )
    if reply.ok:
        groups = reply.read(lambda fields: len(fields["value"]))
        return Seen(f"{reply.status}, {groups} groups", groups == 0)
    if reply.status == 403:
        raise NotRun("it needs GroupMember.Read.All, which an app without groups does not have")
    return Seen(of_graph(reply), reply.status == 404)


def _listed(scene: Scene) -> Seen:
    live = scene.app.console.overview().part("subscription").text("expiresAt")
    if not live:
        raise NotRun("the app has no subscription yet")
    listed = len(SubscriptionClient(scene.m365.graph_http).list_own())
    return Seen(f"the app has one; the list contains {listed}", listed > 0)


def _gone(scene: Scene) -> Seen:
    at = f"{_SUBSCRIPTIONS}/{uuid.uuid4()}"
    http = scene.m365.graph_http
    body = json.dumps({"expirationDateTime": "2030-01-01T00:00:00Z"}).encode()
    read, renewed = http.send("GET", at), http.send("PATCH", at, headers=_JSON, body=body)
    told = f"read {of_graph(read)}, renewed {of_graph(renewed)}"
    return Seen(told, (read.status, renewed.status) == (404, 404))


STEPS = (
    Step(
        "search",
        "Do the queries that find a user by name and address work for an app?",
        "the user is among the results",
        _search,
    ),
    Step(
        "unknown-group",
        "What does checkMemberGroups answer for a group that does not exist?",
        "the group is left out, or 404",
        _unknown_group,
    ),
)
OF_THE_APP = (
    Step(
        "subscription-list",
        "Does the list of subscriptions contain the app's live one?",
        "it does; an empty list proves nothing",
        _listed,
    ),
)
WRITING = (
    Step(
        "subscription-gone",
        "What is the answer to reading or renewing a subscription that does not exist?",
        "404; the product then creates a new one",
        _gone,
        writes=True,
    ),
)
