"""
`ProcessQuery`, the older client protocol: several profile properties in one request.

SharePoint executes the actions in order and stops at the first failure; what was written before is
assumed to stay. An error may come with status 200 (facts: sharepoint.md section 3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from shared.errors import Refused, ServiceDown
from shared.microsoft365.reply import Reply
from shared.sharepoint.errors import ErrorBody

PATH = "/_vti_bin/client.svc/ProcessQuery"

_PEOPLE_MANAGER = "{cf560d69-0fdb-4489-a216-b6b47adf8ef8}"
# Characters that an XML 1.0 document must not contain, escaped or not (XML 1.0, section 2.2).
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Unescaped, a parser turns these into a line feed or, in some positions, a space.
_SPACES = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def can_carry(account: str, changes: Mapping[str, str]) -> bool:
    """Whether XML can contain *account* and all of *changes*."""
    return not any(map(_NO_XML.search, (account, *changes, *changes.values())))


def body(account: str, changes: Mapping[str, str]) -> bytes:
    """A request that writes *changes* in order. Raises Refused for text that XML cannot contain."""
    if not can_carry(account, changes):
        raise Refused("A profile property contains a character that XML does not allow.")
    methods = "".join(
        _method(number, (account, name, value))
        for number, (name, value) in enumerate(changes.items(), 3)
    )
    return (
        '<Request AddExpandoFieldTypeSuffix="true" SchemaVersion="15.0.0.0" '
        'LibraryVersion="16.0.0.0" ApplicationName="PhotoSync" '
        'xmlns="http://schemas.microsoft.com/sharepoint/clientquery/2009">'
        f'<Actions><ObjectPath Id="2" ObjectPathId="1" />{methods}</Actions>'
        f'<ObjectPaths><Constructor Id="1" TypeId="{_PEOPLE_MANAGER}" /></ObjectPaths></Request>'
    ).encode()


def headers(digest: str) -> dict[str, str]:
    """The headers of a request."""
    return {"Content-Type": "text/xml", "X-RequestDigest": digest}


def failure(reply: Reply) -> ErrorBody | None:
    """
    The error in the response, None if it reports success.

    Raises Refused if it is not a response of ProcessQuery, such as a proxy's page.
    """
    try:
        info = reply.json()[0]["ErrorInfo"]
        if info is None and reply.ok:
            return None
        return _error_in(info)
    except (ServiceDown, LookupError, TypeError) as error:
        raise Refused(
            f"ProcessQuery answered {reply.status} with a response that cannot be parsed."
        ) from error


def _method(number: int, texts: tuple[str, ...]) -> str:
    parameters = "".join(
        f'<Parameter Type="String">{escape(text, _SPACES)}</Parameter>' for text in texts
    )
    return (
        f'<Method Name="SetSingleValueProfileProperty" Id="{number}" ObjectPathId="1">'
        f"<Parameters>{parameters}</Parameters></Method>"
    )


def _error_in(info: Any) -> ErrorBody:
    """The error in the form of the REST interface: HRESULT, then type."""
    number, kind, message = info["ErrorCode"], info["ErrorTypeName"], info.get("ErrorMessage")
    if not isinstance(number, int) or not isinstance(kind, str):
        raise TypeError("an error has a number and a type")
    return ErrorBody(f"{number}, {kind}", message if isinstance(message, str) else "")
