"""Several profile properties in one request, by the older client protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from admin.acceptance.finding import Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from shared.errors import Refused
from shared.microsoft365.http import Http
from shared.microsoft365.reply import Reply, fault
from shared.sharepoint.publisher import SYNC_STATE, TIMESTAMP

_JSON = {"Accept": "application/json;odata=nometadata"}
_PEOPLE_MANAGER = "{cf560d69-0fdb-4489-a216-b6b47adf8ef8}"
_SECONDS = re.compile(r"[0-9]{1,15}")
_TYPE = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)*")


def _several(scene: Scene) -> Seen:
    m365, user = scene.m365, scene.user
    scene.putting_back.remember(m365, user)
    geo, profile = m365.geos.residence(user)
    stamp = profile.get(TIMESTAMP, "")
    wanted = {
        SYNC_STATE: "0" if profile.get(SYNC_STATE) == "1" else "1",
        TIMESTAMP: str(int(stamp) + 1) if _SECONDS.fullmatch(stamp) else "63000000000",
    }
    http = m365.http("sharepoint", geo.admin_url)
    reply = _process(http, body(f"i:0#.f|membership|{user.user_principal_name}", wanted))
    error = _error(reply)
    _, after = m365.geos.residence(user)
    written = [name for name, value in wanted.items() if after.get(name) == value]
    told = f"{reply.status} {f'with {error}' if error else 'without an error'}"
    return Seen(f"{told}; {len(written)} of 2 written", not error and len(written) == len(wanted))


def body(account: str, changes: Mapping[str, str]) -> str:
    """A request that writes *changes* in their order; see sharepoint.md section 3."""
    methods = "".join(
        f'<Method Name="SetSingleValueProfileProperty" Id="{number}" ObjectPathId="1"><Parameters>'
        + "".join(
            f'<Parameter Type="String">{escape(text)}</Parameter>'
            for text in (account, name, value)
        )
        + "</Parameters></Method>"
        for number, (name, value) in enumerate(changes.items(), 3)
    )
    return (
        '<Request AddExpandoFieldTypeSuffix="true" SchemaVersion="15.0.0.0" '
        'LibraryVersion="16.0.0.0" ApplicationName="PhotoSync" '
        'xmlns="http://schemas.microsoft.com/sharepoint/clientquery/2009">'
        f'<Actions><ObjectPath Id="2" ObjectPathId="1" />{methods}</Actions>'
        f'<ObjectPaths><Constructor Id="1" TypeId="{_PEOPLE_MANAGER}" /></ObjectPaths></Request>'
    )


def _process(http: Http, text: str) -> Reply:
    context = http.send("POST", "/_api/contextinfo", headers=_JSON)
    if not context.ok:
        raise fault(context)
    digest = context.read(lambda fields: str(fields["FormDigestValue"]))
    if not digest.isprintable():
        raise Refused("SharePoint gave a digest that is none.")
    headers = {"Content-Type": "text/xml", "X-RequestDigest": digest}
    path = "/_vti_bin/client.svc/ProcessQuery"
    return http.send("POST", path, headers=headers, body=text.encode())


def _error(reply: Reply) -> str:
    """The error's type, empty without one: it may come with 200, too."""
    try:
        head: Any = json.loads(reply.body)[0]
        info = head["ErrorInfo"]
        if info is None and reply.ok:
            return ""
        kind = str(info["ErrorTypeName"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return "an answer that is none"
    return kind if _TYPE.fullmatch(kind) else "an error"


WRITING = (
    Step(
        "csom",
        "Does ProcessQuery take several properties of one profile in one request, from an app?",
        "yes, in their order; the product writes each by itself meanwhile",
        _several,
        writes=True,
    ),
)
