"""Carrying out steps: retries, failures, and what follows them."""

from __future__ import annotations

import json

import pytest
import requests

from admin.grants.carry_out import Subject, Worker
from admin.grants.directory import Directory, undocumented
from admin.grants.found import Principal, Resource
from admin.grants.graph import Answered, Busy, Graph
from admin.grants.plan import Act, Allow, Assign
from admin.grants.sites import Sites
from admin.grants.step import State, Step
from admin.grants.wanted import GRAPH
from admin.terminal.problems import Late, Refused
from tests.admin.grants.test_graph import URL, error
from tests.doubles.web import Answer, FunctionAdapter, Web, answer, in_turn

RESOURCE = Resource(GRAPH, "graph-1", {"User.Read.All": "u"})
ASSIGN = Assign(RESOURCE, "u")
PRINCIPAL = Principal("p-1", "c-1", "id-photosync", "ManagedIdentity")
MADE = answer({"id": "a-1"}, 201)
NOT_YET = [
    error(404, "Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried "
          "reference-property objects are not present."),
    error(400, "Request_BadRequest", "Not a valid reference update."),
    error(400, "Request_BadRequest", "The appId 'x' of the service principal does not reference a "
          "valid application object."),
]  # fmt: skip


def step(act: Act = ASSIGN) -> Step:
    return Step("Microsoft Graph", "User.Read.All", "", State.MISSING, act)


def carried_out(web: Web, *steps: Step) -> list[Step]:
    """The steps as they become with 60 s of patience, in a time that passes by pausing."""
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    graph = Graph(URL, "token", pause=pause, transport=FunctionAdapter(web))
    worker = Worker(
        Directory(graph),
        Sites(graph, device_code=True),
        Subject(PRINCIPAL),
        seconds=60,
        clock=lambda: now[0],
        pause=pause,
    )
    return list(worker.carry_out(steps or [step()]))


@pytest.mark.parametrize("not_yet", NOT_YET)
def test_waits_for_replication(not_yet: Answer):
    """As long as Graph does not know the new object, and no longer than the limit."""
    (done,) = carried_out(in_turn(not_yet, not_yet, MADE))
    assert done.state is State.DONE

    (late,) = carried_out(in_turn(not_yet))
    assert (late.state, type(late.problem)) == (State.FAILED, Late)


def test_already_granted():
    """Somebody else granted it meanwhile, or a list was out of date."""
    twice = error(
        400, "Request_BadRequest", "Permission being assigned already exists on the object"
    )
    (done,) = carried_out(in_turn(twice))

    assert done.state is State.DONE


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (
            error(400, message="Permission being assigned was not found on application 'x'"),
            Answered,
        ),
        (error(403), Refused),
        (error(503), Busy),
    ],
)
def test_one_failure_does_not_keep_the_others(result: Answer, kind: type[Exception]):
    """A failed step has its problem; the next one is still carried out."""
    asked: list[str] = []

    def web(request: requests.PreparedRequest) -> Answer:
        role = json.loads(request.body or b"")["appRoleId"]
        asked.append(role)
        return result if role == "u" else MADE

    failed, done = carried_out(web, step(), step(Assign(RESOURCE, "v")))

    assert isinstance(failed.problem, kind)
    assert (failed.state, done.state) == (State.FAILED, State.DONE)


def test_site_gets_the_client_id():
    """SharePoint knows an app by its client id, not by the object id of its principal."""
    bodies = []

    def web(request: requests.PreparedRequest) -> Answer:
        bodies.append(json.loads(request.body or b""))
        return MADE

    carried_out(web, step(Allow("site-1")))

    application = bodies[0]["grantedToIdentities"][0]["application"]
    assert application == {"id": "c-1", "displayName": "id-photosync"}
    assert bodies[0]["roles"] == ["write"]


def test_undocumented_id_is_reported():
    """Graph's id is granted, and the output has a note."""
    sound = RESOURCE._replace(role_ids={"User.Read.All": "DF021288-bdef-4463-88db-98f22de89214"})

    assert undocumented([sound]) == []
    (note,) = undocumented([RESOURCE])
    assert "User.Read.All of Microsoft Graph" in note
