"""Whether the groups named in settings can be read, and how many users each has."""

from __future__ import annotations

from typing import Any

from shared.doctor.examination import Finding
from shared.errors import PhotoSyncError, Refused
from shared.graph.errors import code_and_message
from shared.graph.groups import Groups, path, read_group
from shared.graph.user_listing import MEMBERS_HEADERS, members_path
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault

SET_GROUP = (
    "Set it to the object id of an existing group whose members can be read, or leave it empty."
)


def probe(graph: Http, groups: Groups) -> Finding:
    """What Graph says about each of *groups*. Raises the error that prevents an answer."""
    described = [_describe(graph, setting, group) for setting, group in groups.named.items()]
    return Finding(" ".join(described) or "No group is set, so group membership excludes nobody.")


def remedy(error: PhotoSyncError, otherwise: str) -> str:
    """What to do about an *error* of `probe`."""
    return SET_GROUP if isinstance(error, Refused) else otherwise


def _describe(graph: Http, setting: str, group_id: str) -> str:
    group = read_group(graph.send("GET", f"/v1.0{path(group_id)}"), setting)
    members = graph.send("GET", members_path(group_id, "id", 1), headers=MEMBERS_HEADERS)
    if not members.ok:
        raise fault(members, *code_and_message(members))
    name = group.display_name or group.id
    return f'{setting} is "{name}". Users in it, including nested groups: {members.read(_count):,}.'


def _count(fields: Any) -> int:
    return int(fields["@odata.count"])
