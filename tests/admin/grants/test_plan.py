"""The plan: the steps from what exists to what is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from admin.grants import found, plan
from admin.grants.step import State, Step
from admin.grants.wanted import DOCUMENTED_IDS, GRAPH, SHAREPOINT, grantable, wanted
from admin.terminal.problems import Unsound
from tests import REPO

FACTS = REPO / "docs" / "facts"
ON_GRAPH = found.Resource(GRAPH, "graph-1", {"User.Read.All": "u", "ProfilePhoto.Read.All": "p"})
# The ids of roles are not unique over resources.
ON_SHAREPOINT = found.Resource(
    SHAREPOINT,
    "sp-1",
    {"User.ReadWrite.All": "p", "Sites.Selected": "s", "Sites.FullControl.All": "f"},
)
RESOURCES = (ON_GRAPH, ON_SHAREPOINT)
PRINCIPAL = found.Principal("p-1", "c-1", "id-photosync", "ManagedIdentity")
NONE = plan.Registration()
LEAST = wanted(group=False, full_control=False)


def held(resource: found.Resource, role: str) -> found.Assignment:
    role_id = resource.role_ids[role]
    return found.Assignment(f"a-{role_id}", resource.id, resource.service.name, role_id, role)


def there(*assignments: found.Assignment, **more: Any) -> found.Found:
    return found.Found(RESOURCES, assignments, PRINCIPAL, **more)


def states(steps: list[Step]) -> dict[str, State]:
    return {step.what: step.state for step in steps}


def test_the_least_roles_are_wanted():
    """Graph's User.Read.All and ProfilePhoto.Read.All, SharePoint's two; with a group one more."""
    assert [(one.service, one.role) for one in LEAST] == [
        (GRAPH, "User.Read.All"),
        (GRAPH, "ProfilePhoto.Read.All"),
        (SHAREPOINT, "User.ReadWrite.All"),
        (SHAREPOINT, "Sites.Selected"),
    ]
    more = {one.role for one in wanted(group=True, full_control=True)}
    assert more - {one.role for one in LEAST} == {"GroupMember.Read.All", "Sites.FullControl.All"}


def test_every_role_has_a_documented_id():
    """Every role that can be granted has a documented id."""
    assert {(one.service, one.role) for one in grantable()} == set(DOCUMENTED_IDS)


def test_the_ids_are_those_of_the_facts():
    """Each is next to its role's name in docs/facts."""
    facts = {
        GRAPH: (FACTS / "graph.md").read_text("utf-8"),
        SHAREPOINT: (FACTS / "sharepoint.md").read_text("utf-8"),
    }
    for (service, role), role_id in DOCUMENTED_IDS.items():
        assert f"`{role}` `{role_id}`" in facts[service]
    for service, text in facts.items():
        assert service.app_id in text


def test_missing_roles_are_granted_by_id():
    """An assignment names the resource and the role as they are in this tenant."""
    steps = plan.to_grant(LEAST, there(held(ON_GRAPH, "User.Read.All")), NONE)

    assert states(steps) == {
        "User.Read.All": State.THERE,
        "ProfilePhoto.Read.All": State.MISSING,
        "User.ReadWrite.All": State.MISSING,
        "Sites.Selected": State.MISSING,
    }
    assert [step.act for step in steps] == [
        None,
        plan.Assign(ON_GRAPH, "p"),
        plan.Assign(ON_SHAREPOINT, "p"),
        plan.Assign(ON_SHAREPOINT, "s"),
    ]


def test_an_equal_id_of_another_resource_is_another_role():
    """Graph's role with id p does not stand for SharePoint's role with id p."""
    steps = plan.to_grant(LEAST, there(held(ON_GRAPH, "ProfilePhoto.Read.All")), NONE)

    assert states(steps)["User.ReadWrite.All"] is State.MISSING


def test_missing_role():
    """It is unknown, with a sentence, and nothing is done about it."""
    bare = found.Found((ON_GRAPH, ON_SHAREPOINT._replace(role_ids={})), (), PRINCIPAL)

    steps = plan.to_grant(LEAST, bare, NONE)

    assert [step.state for step in steps[2:]] == [State.UNKNOWN] * 2
    assert "Sites.Selected" in str(steps[3].problem)
    assert not steps[3].is_to_do


def test_more_than_needed():
    """Other roles, and roles of other resources, are reported but never removed."""
    alien = found.Assignment("a-9", "exchange-1", "Exchange", "x", "Exchange.ManageAsApp")
    full = held(ON_SHAREPOINT, "Sites.FullControl.All")

    steps = plan.to_grant(LEAST, there(alien, full), NONE)

    surplus = [(step.on, step.what, step.act) for step in steps if step.state is State.SURPLUS]
    assert surplus == [
        ("Exchange", "Exchange.ManageAsApp", None),
        ("SharePoint", "Sites.FullControl.All", None),
    ]


def site(*roles: str) -> found.Site:
    permissions = tuple(found.SitePermission(f"perm-{role}", (role,)) for role in roles)
    return found.Site("https://contoso-my.sharepoint.com", "site-1", permissions)


def of_the_site(*roles: str) -> list[tuple[str, State, object]]:
    steps = plan.to_grant((), there(sites=(site(*roles),)), NONE)
    return [(step.what, step.state, step.act) for step in steps]


def test_the_permission_on_the_site():
    """None is created, `read` is changed, more than `write` is enough and reported."""
    assert of_the_site() == [("write", State.MISSING, plan.Allow("site-1"))]
    assert of_the_site("read") == [("write", State.MISSING, plan.Change("site-1", "perm-read"))]
    assert of_the_site("write") == [("write", State.THERE, None)]
    assert of_the_site("read", "write") == [("write", State.THERE, None)]
    assert of_the_site("owner") == [("write", State.THERE, None), ("owner", State.SURPLUS, None)]


def test_unreadable_site():
    """Its problem is kept, and its state is unknown."""
    problem = Unsound("No.")
    (step,) = plan.to_grant((), there(sites=(found.Site("https://x", problem=problem),)), NONE)

    assert (step.state, step.act, step.problem) == (State.UNKNOWN, None, problem)
    (step,) = plan.to_revoke((), there(sites=(found.Site("https://x", problem=problem),)))
    assert (step.state, step.act, step.problem) == (State.UNKNOWN, None, problem)


def test_the_certificate_way():
    """File, registration and principal come first; each only if it is missing."""
    nothing = found.Found(RESOURCES)
    new = plan.to_grant((), nothing, plan.Registration("PhotoSync", "p.pem"))
    assert [step.act for step in new] == [
        plan.MakeCertificate(),
        plan.Register("PhotoSync"),
        plan.CreatePrincipal(),
    ]

    keyless = found.Found(RESOURCES, application=found.Application("o-1", "c-1", "PhotoSync"))
    key = plan.to_grant((), keyless, plan.Registration("", "p.pem", has_file=True))
    assert [step.act for step in key] == [None, plan.AddKey(), plan.CreatePrincipal()]
    assert [step.is_to_do for step in key] == [False, True, True]

    whole = there(application=found.Application("o-1", "c-1", "PhotoSync", has_key=True))
    steps = plan.to_grant((), whole, plan.Registration("", "p.pem", has_file=True))
    assert {step.state for step in steps} == {State.THERE}


def test_a_revocation_takes_what_a_grant_gives():
    """Whichever options it had; and nothing else."""
    mine = [held(ON_GRAPH, "User.Read.All"), held(ON_SHAREPOINT, "Sites.FullControl.All")]
    alien = found.Assignment("a-9", "exchange-1", "Exchange", "x", "User.Read.All")

    steps = plan.to_revoke(grantable(), there(*mine, alien, sites=(site("write"),)))

    assert [step.act for step in steps] == [
        plan.Unassign(mine[0], GRAPH),
        plan.Unassign(mine[1], SHAREPOINT),
        plan.Forbid("site-1", "perm-write"),
    ]
    assert {step.state for step in steps} == {State.GRANTED}


@pytest.mark.parametrize(
    "permission",
    [
        found.SitePermission("1", ("read",)),
        found.SitePermission("1", ("owner",)),
        found.SitePermission("1", ("write", "fullcontrol")),
        found.SitePermission("1", ()),
        found.SitePermission("1", ("write",), shared=True),
    ],
)
def test_a_revocation_leaves_what_no_grant_gives(permission: found.SitePermission):
    """Everything but `write` for this app alone is left and reported."""
    (step,) = plan.to_revoke((), there(sites=(found.Site("https://x", "site-1", (permission,)),)))

    assert (step.state, step.act) == (State.LEFT, None)


def test_a_shared_permission_is_not_changed():
    """Otherwise other apps could write, too: ours gets a separate permission."""
    shared = found.SitePermission("1", ("read",), shared=True)

    (step,) = plan.to_grant((), there(sites=(found.Site("https://x", "site-1", (shared,)),)), NONE)

    assert step.act == plan.Allow("site-1")


def test_each_site_is_a_step_of_its_own():
    """Each geography's site is handled separately."""
    empty = found.Site("https://y", "site-2")
    steps = plan.to_grant((), there(sites=(site("write"), empty)), NONE)

    assert [(step.state, step.act) for step in steps] == [
        (State.THERE, None),
        (State.MISSING, plan.Allow("site-2")),
    ]
    (taken,) = plan.to_revoke((), there(sites=(site("write"), empty)))
    assert taken.state is State.GRANTED
