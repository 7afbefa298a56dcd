"""OData as SharePoint writes it: verbose, nometadata, minimal; Atom where nobody asks for JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from xml.sax.saxutils import escape

from starlette.responses import Response

from local.m365.sharepoint.errors import SharePointError

_SERVICES = "http://schemas.microsoft.com/ado/2007/08/dataservices"


@dataclass(frozen=True)
class Entity:
    """One object; `wrapper` is the name that the verbose form puts around a result."""

    type: str
    fields: Mapping[str, Any]
    uri: str = ""
    wrapper: str = ""


@dataclass(frozen=True)
class Collection:
    entities: Sequence[Entity]


@dataclass(frozen=True)
class Scalar:
    """What a function returns; None is OData's null."""

    function: str
    value: str | None = None


@dataclass(frozen=True)
class Binary:
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Empty:
    pass


Answer = Entity | Collection | Scalar | Binary | Empty


def form(accept: str) -> str:
    """
    Which form *accept* asks for.

    Documented: `odata=verbose`, `odata=nometadata`, `odata=minimalmetadata`, and Atom when JSON
        is not asked for.
    """
    wanted = accept.lower().replace(" ", "")
    if "application/json" not in wanted:
        return "atom"
    for name in ("verbose", "nometadata"):
        if f"odata={name}" in wanted:
            return name
    return "minimalmetadata"


def selected(answer: Answer, names: str | None) -> Answer:
    """
    Only the members that `$select` asks for, so that nobody gets what he did not ask for.

    Documented: `$select` is a list of names. Assumed: names that do not exist are passed over.
    """
    if not names or names == "*":
        return answer
    wanted = {name.strip().partition("/")[0] for name in names.split(",")}
    if isinstance(answer, Entity):
        kept = {name: value for name, value in answer.fields.items() if name in wanted}
        return replace(answer, fields=kept)
    if isinstance(answer, Collection):
        return Collection([cast(Entity, selected(each, names)) for each in answer.entities])
    return answer


def response(answer: Answer, accept: str, base: str) -> Response:
    """*answer* in the form that the client accepts."""
    if isinstance(answer, Empty):
        return Response(status_code=200)
    if isinstance(answer, Binary):
        return Response(answer.content, media_type="application/octet-stream")
    wanted = form(accept)
    if wanted == "atom":
        return Response(_atom(answer), media_type="application/atom+xml")
    if wanted == "verbose":
        return _json({"d": _verbose(answer)}, 200, wanted)
    plain = _plain(answer)
    if wanted == "minimalmetadata":
        plain = {"odata.metadata": f"{base}/_api/$metadata", **plain}
    return _json(plain, 200, wanted)


def error_response(error: SharePointError, accept: str, style: str) -> Response:
    """
    *error* as the client accepts it, or in the *style* that the tenant's switch chose.

    Recorded: `odata.error` (nometadata) or `error` (verbose) with code, message.lang and
        message.value. From issues: XML, plain text or nothing at all were seen as well.
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
    return [_plain(each) for each in value.entities] if isinstance(value, Collection) else value


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
            name: _verbose(value) if isinstance(value, Collection) else value
            for name, value in answer.fields.items()
        },
    }
    return {answer.wrapper: body} if answer.wrapper else body


def _atom(answer: Entity | Collection | Scalar) -> str:
    """Enough Atom to be recognised as such; no client of ours reads it."""
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
