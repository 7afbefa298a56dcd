"""`ProcessQuery`, the older client protocol: several profile properties in one request."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.m365.sharepoint import digests, profiles
from local.m365.sharepoint.errors import SharePointError, access_denied, in_language
from local.m365.tenant.geo import Geo
from local.m365.tenant.tenant import Tenant

PATH = "/_vti_bin/client.svc/processquery"
_NAMESPACE = "{http://schemas.microsoft.com/sharepoint/clientquery/2009}"
_PEOPLE_MANAGER = "{cf560d69-0fdb-4489-a216-b6b47adf8ef8}"
_LIBRARY = "16.0.26000.12000"


class _NoDoctype(ET.TreeBuilder):
    """Refuses a document type, so that entities cannot be declared, whatever the encoding."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ET.ParseError("a document type")


class _Write(NamedTuple):
    """One `SetSingleValueProfileProperty`."""

    account: str
    name: str
    value: str


async def response(
    tenant: Tenant, geo: Geo, host: str, request: Request, *, may_write: bool
) -> Response:
    """
    Run the methods of one request in order, and stop at the first that fails.

    Documented (MS-CSOM 3.1.4.1): POST of XML, a list of actions and one of object paths; the answer
        is a JSON array whose first element has `ErrorInfo`. From tools' sources: `text/xml`, the
        digest of `contextinfo`, one ObjectPath before its Methods, three String parameters, and
        errors with 200.
    Assumed: writes before the failing method stay; a missing digest is 403; another content type is
        400. A missing role, and an app while the switch `csom` refuses apps, are answered like any
        error, the first with 403. For the limits, a request counts as one call, or as one per
        method if the switch `csom_counts` says so.
    """
    base = tenant.host_url(geo, host.rpartition("-")[2])
    refusal = _refusal(tenant, base, request, may_write=may_write)
    if refusal is not None:
        return refusal
    body = await request.body()
    try:
        if tenant.switches.csom == "refused":
            raise access_denied()
        results: list[Any] = []
        actions = _actions(body)
        if tenant.switches.csom_counts == "methods":
            tenant.limits.count_people(host, sum(write is not None for _, write in actions) - 1)
        for number, write in actions:
            if write is None:
                results += [number, {"IsNull": False}]
            else:
                profiles.write(tenant, geo, *write)
    except SharePointError as error:
        return _error_answer(in_language(error, tenant.switches.language), 200)
    return JSONResponse([_head(None), *results])


def _refusal(tenant: Tenant, base: str, request: Request, *, may_write: bool) -> Response | None:
    """The refusal of a request before its body is read; None to read the body."""
    if request.method != "POST":
        return Response(status_code=405)
    if not request.headers.get("content-type", "").lower().startswith("text/xml"):
        return Response(status_code=400)
    digest = request.headers.get("x-requestdigest", "")
    if not digests.is_fresh(base, digest, tenant.now()):
        code = "-2130575251, Microsoft.SharePoint.SPException"
        text = "The security validation for this page is invalid and might be corrupted."
        return _error_answer(SharePointError(403, code, text), 403)
    return None if may_write else _error_answer(access_denied(), 403)


def _actions(body: bytes) -> list[tuple[int, _Write | None]]:
    """Each action in order, by its id; None for an ObjectPath. All are parsed before any runs."""
    request = _parsed(body)
    actions, paths = request.find(f"{_NAMESPACE}Actions"), request.find(f"{_NAMESPACE}ObjectPaths")
    if actions is None or paths is None:
        raise _invalid("A request has Actions and ObjectPaths.")
    known = {_id(path): path for path in paths}
    for path in known.values():
        if (path.tag, path.get("TypeId")) != (f"{_NAMESPACE}Constructor", _PEOPLE_MANAGER):
            raise _invalid("Only the constructor of PeopleManager is an object path here.")
    opened: set[int] = set()
    found: list[tuple[int, _Write | None]] = []
    seen = set(known)
    for action in actions:
        number, of = _id(action), _number(action.get("ObjectPathId"))
        if number in seen or of not in known:
            raise _invalid("Ids are unique, and ObjectPathId names an object path.")
        seen.add(number)
        if action.tag == f"{_NAMESPACE}ObjectPath":
            opened.add(of)
            found.append((number, None))
        elif of not in opened:
            raise _invalid("A method comes after the ObjectPath of its object.")
        else:
            found.append((number, _write(action)))
    return found


def _parsed(body: bytes) -> ET.Element:
    try:
        request = ET.fromstring(body, ET.XMLParser(target=_NoDoctype()))
    # The latter two: an unknown encoding, and one that the parser cannot read.
    except (ET.ParseError, LookupError, ValueError):
        request = None
    if request is None or request.tag != f"{_NAMESPACE}Request":
        raise _invalid("The body is no request.")
    return request


def _write(action: ET.Element) -> _Write:
    name = action.get("Name")
    if (action.tag, name) != (f"{_NAMESPACE}Method", "SetSingleValueProfileProperty"):
        raise _invalid(f"There is no method {name}.")
    given = action.findall(f"{_NAMESPACE}Parameters/{_NAMESPACE}Parameter")
    if len(given) != 3 or any(each.get("Type") != "String" for each in given):
        raise _invalid("SetSingleValueProfileProperty takes three parameters of the type String.")
    return _Write(*(each.text or "" for each in given))


def _id(element: ET.Element) -> int:
    return _number(element.get("Id"))


def _number(text: str | None) -> int:
    if not text or not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise _invalid("An id is a number.")
    return int(text)


def _invalid(text: str) -> SharePointError:
    code = "-1, Microsoft.SharePoint.Client.InvalidClientQueryException"
    return SharePointError(200, code, text)


def _error_answer(error: SharePointError, status: int) -> Response:
    number, _, kind = error.code.partition(", ")
    info = {
        "ErrorMessage": error.message,
        "ErrorValue": None,
        "TraceCorrelationId": str(uuid.uuid4()),
        "ErrorCode": int(number),
        "ErrorTypeName": kind,
    }
    return JSONResponse([_head(info)], status)


def _head(info: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "SchemaVersion": "15.0.0.0",
        "LibraryVersion": _LIBRARY,
        "ErrorInfo": info,
        "TraceCorrelationId": str(uuid.uuid4()),
    }
