"""Sends several requests to Microsoft Graph in one call (facts: graph.md section 4, documented)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from requests.structures import CaseInsensitiveDict

from shared.graph.errors import code_and_message
from shared.microsoft365.http import Http
from shared.microsoft365.reply import Reply, fault

LIMIT = 20


def get(key: str, url: str) -> dict[str, Any]:
    """A GET of *url*; its response has the id *key*."""
    return {"id": key, "method": "GET", "url": url}


def post(key: str, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A POST to *url* with a JSON *body*; its response has the id *key*."""
    headers = {"Content-Type": "application/json"}
    return {"id": key, "method": "POST", "url": url, "headers": headers, "body": dict(body)}


def in_turn(requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Make each request depend on the success of the one before."""
    # Documented: a batch should be either fully sequential or fully parallel; reported: mixed
    # ones are refused (Graph, "Combine multiple HTTP requests using JSON batching").
    first, *others = requests
    return [
        dict(first),
        *(
            {**request, "dependsOn": [before["id"]]}
            for before, request in zip(requests, others, strict=False)
        ),
    ]


def send(http: Http, requests: Sequence[Mapping[str, Any]]) -> dict[str, Reply]:
    """
    The response to each of *requests* (at most LIMIT) by its id; a 502 if there is no valid one.

    Raises the errors of the call as a whole; an error of one request is in its own response.
    """
    reply = http.send(
        "POST",
        "/v1.0/$batch",
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=json.dumps({"requests": list(requests)}).encode(),
    )
    if not reply.ok:
        raise fault(reply, *code_and_message(reply))
    # Responses come in any order (documented).
    items = reply.read(lambda fields: list(fields["responses"]))
    found = {item["id"]: _parsed(http, item) for item in items if _is_answer(item)}
    return {request["id"]: found.get(request["id"]) or _no_answer(http) for request in requests}


def _is_answer(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("id"), str)


def _parsed(http: Http, item: Mapping[str, Any]) -> Reply | None:
    try:
        return _item(http, item)
    except (LookupError, TypeError, AttributeError, ValueError):
        return None


def _no_answer(http: Http) -> Reply:
    """The substitute for the response to a request that the batch did not answer."""
    error = {"code": "noAnswer", "message": "The batch has no valid response to this request."}
    content = json.dumps({"error": error}).encode()
    return Reply(http.service, 502, CaseInsensitiveDict(), content, None)


def _item(http: Http, item: Mapping[str, Any]) -> Reply:
    """One response, as if it had come alone; the body is empty if its form is unknown."""
    headers = CaseInsensitiveDict(item.get("headers") or {})
    body = item.get("body")
    if isinstance(body, str):
        content = _from_base64(body)
    else:
        content = b"" if body is None else json.dumps(body).encode()
    return Reply(http.service, int(item["status"]), headers, content, http.seconds_asked(headers))


def _from_base64(text: str) -> bytes:
    """Decode either base64 alphabet, with or without padding (graph.md section 4)."""
    text = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""
