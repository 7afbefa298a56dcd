"""Finds people and groups in Entra by the names that an admin types."""

from __future__ import annotations

from urllib.parse import quote

from admin.grants import refusals
from admin.grants.console.found import Member
from admin.grants.graph import Graph
from admin.terminal.fields import Fields
from admin.terminal.problems import NotFound, Unusable
from shared.user import is_object_id

_USER, _GROUP = "id,displayName,userPrincipalName", "id,displayName,securityEnabled"


def find(graph: Graph, name: str) -> Member:
    """
    The person or group called *name*: an object id, a user principal name, a mail address, or a
    group's display name, which must match one group only. Raises Problem.
    """
    if is_object_id(name):
        found = _user(graph, name) or _group(graph, name)
    elif "@" in name:
        found = _user(graph, name) or _one(name, _listed(graph, "users", "mail", name))
    else:
        found = _one(name, _listed(graph, "groups", "displayName", name))
    if found is None:
        raise NotFound(
            f"No person or group is called {name}: give a user principal name, a mail address, an "
            "object id, or a group's full display name."
        )
    if found.raw.get("securityEnabled") is False:
        raise Unusable(f"The group {name} cannot have a role: choose a security group.")
    shown = found.text("userPrincipalName") or found.text("displayName")
    return Member(found.text("id"), shown)


def _user(graph: Graph, name: str) -> Fields | None:
    # In quotes a name may begin with any character (Get user, documented).
    key = quote(name.replace("'", "''"), safe="")
    return graph.find(f"users('{key}')", refusal=refusals.PEOPLE, select=_USER)


def _group(graph: Graph, object_id: str) -> Fields | None:
    return graph.find(f"groups/{object_id}", refusal=refusals.PEOPLE, select=_GROUP)


def _listed(graph: Graph, of: str, field: str, name: str) -> list[Fields]:
    literal = name.replace("'", "''")
    select = _USER if of == "users" else _GROUP
    found = graph.pages(
        of, refusal=refusals.PEOPLE, filter=f"{field} eq '{literal}'", select=select
    )
    return list(found)


def _one(name: str, found: list[Fields]) -> Fields | None:
    if len(found) > 1:
        ids = ", ".join(one.text("id") for one in found[:5])
        raise Unusable(f"{len(found)} are called {name}: give the object id of one ({ids}).")
    return found[0] if found else None
