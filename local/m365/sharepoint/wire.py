"""
SharePoint's OData formats: verbose, nometadata, minimal; Atom for clients that do not request JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from starlette.responses import Response

from local.m365.sharepoint.errors import SharePointError

_SERVICES = "http://schemas.microsoft.com/ado/2007/08/dataservices"


@dataclass(frozen=True)
class Entity:
    """
    One object; `wrapper` is the name around a result in the verbose form.

    *related* is what `$expand` can request; *status* is 201 for a new object.
    """

    type: str
    fields: Mapping[str, Any]
    uri: str = ""
    wrapper: str = ""
    related: Mapping[str, Callable[[], Answer]] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Collection:
    entities: Sequence[Entity]


@dataclass(frozen=True)
class Scalar:
    """The result of a function; None is OData's null."""

    function: str
    value: str | None = None


@dataclass(frozen=True)
class Binary:
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Empty:
    status: int = 200


Answer = Entity | Collection | Scalar | Binary | Empty


def form(accept: str) -> str:
    """
    The form that *accept* requests.

    Documented: `odata=verbose`, `odata=nometadata`, `odata=minimalmetadata`, and Atom if JSON is
        not requested. Assumed: OData 4's name for the second, `odata.metadata=none`, is accepted.
    """
    wanted = accept.lower().replace(" ", "")
    if "application/json" not in wanted:
        return "atom"
    if "odata=verbose" in wanted:
        return "verbose"
    if "odata=nometadata" in wanted or "odata.metadata=none" in wanted:
        return "nometadata"
    return "minimalmetadata"


def response(answer: Answer, accept: str, base: str) -> Response:
    """*answer* in the form that the client accepts."""
    if isinstance(answer, Empty):
        return Response(status_code=answer.status)
    if isinstance(answer, Binary):
        return Response(answer.content, media_type="application/octet-stream")
    wanted = form(accept)
    status = answer.status if isinstance(answer, Entity) else 200
    if wanted == "atom":
        return Response(_atom(answer), status, media_type="application/atom+xml")
    if wanted == "verbose":
        return _json({"d": _verbose(answer)}, status, wanted)
    plain = _plain(answer)
    if wanted == "minimalmetadata":
        plain = {"odata.metadata": f"{base}/_api/$metadata", **plain}
    return _json(plain, status, wanted)


def error_response(error: SharePointError, accept: str, style: str) -> Response:
    """
    *error* in the form that the client accepts, or in the *style* that the tenant's switch chose.

    Recorded: `odata.error` (nometadata) or `error` (verbose) with code, message.lang and
        message.value. From issues: XML, plain text or an empty body were seen too.
    """
    wanted = form(accept)
    if style == "empty":
        return Response(status_code=error.status)
    if style == "text":
        return Response(error.message, error.status, media_type="text/plain")
    if style == "xml" or wanted == "atom":
        body = (
            f'<?xml version="1.0" encoding="utf-8"?><m:error xmlns:m="{_SERVICES}/metadata">'
            f"<m:code>{escape(error.code)}</m:code>"
            f'<m:message xml:lang="{error.language}">{escape(error.message)}</m:message></m:error>'
        )
        return Response(body, error.status, media_type="application/xml")
    inner = {"code": error.code, "message": {"lang": error.language, "value": error.message}}
    key = "error" if wanted == "verbose" else "odata.error"
    return _json({key: inner}, error.status, wanted)


def _json(body: object, status: int, name: str) -> Response:
    media = f"application/json;odata={name};streaming=true;charset=utf-8"
    return Response(json.dumps(body), status, headers={"Content-Type": media})


def _plain(answer: Entity | Collection | Scalar) -> dict[str, Any]:
    if isinstance(answer, Entity):
        return {name: _plain_value(value) for name, value in answer.fields.items()}
    if isinstance(answer, Collection):
        return {"value": [_plain(each) for each in answer.entities]}
    return {"odata.null": True} if answer.value is None else {"value": answer.value}


def _plain_value(value: object) -> object:
    if isinstance(value, Collection):
        return [_plain(each) for each in value.entities]
    return _plain(value) if isinstance(value, Entity) else value


def _verbose(answer: Entity | Collection | Scalar) -> dict[str, Any]:
    if isinstance(answer, Collection):
        return {"results": [_verbose(each) for each in answer.entities]}
    if isinstance(answer, Scalar):
        return {answer.function: answer.value}
    metadata = {"type": answer.type}
    if answer.uri:
        metadata = {"id": answer.uri, "uri": answer.uri, **metadata}
    body = {
        "__metadata": metadata,
        **{
            name: _verbose(value) if isinstance(value, Collection | Entity) else value
            for name, value in answer.fields.items()
        },
    }
    return {answer.wrapper: body} if answer.wrapper else body


def _atom(answer: Entity | Collection | Scalar) -> str:
    """Enough Atom to be recognized as such; no client of ours reads it."""
    names = (
        f'xmlns="http://www.w3.org/2005/Atom" xmlns:d="{_SERVICES}" xmlns:m="{_SERVICES}/metadata"'
    )
    head = '<?xml version="1.0" encoding="utf-8"?>'
    if isinstance(answer, Scalar):
        return (
            f"{head}<d:{answer.function} {names}>{escape(answer.value or '')}</d:{answer.function}>"
        )
    entities = answer.entities if isinstance(answer, Collection) else [answer]
    entries = "".join(
        "<entry><content type='application/xml'><m:properties>"
        + "".join(
            f"<d:{name}>{escape(str(value))}</d:{name}>"
            for name, value in each.fields.items()
            if isinstance(value, str | int)
        )
        + "</m:properties></content></entry>"
        for each in entities
    )
    return f"{head}<feed {names}>{entries}</feed>"
