"""Graph's $batch: many requests in one, each answered like a separate request."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.graph.wire import bad_request, error_body, json_object, request_ids, route
from local.m365.inner import Answer, answer_to
from local.m365.tenant.tenant import Tenant

LARGEST = 20  # (D, facts/graph.md section 4)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALPHABETS = ("standard", "standard-unpadded", "urlsafe", "urlsafe-unpadded")


@dataclass(frozen=True)
class Item:
    """One request of a batch."""

    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    depends_on: tuple[str, ...]


def routes(tenant: Tenant) -> list[Route]:
    return [route(tenant, "POST", "/$batch", (), batch)]


async def batch(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    Run all items and answer 200 with one status each, in any order (D, section 4).

    Every item passes through the service's entrance, so that roles, latency, faults and the journal
    treat it like a separate request.
    """
    items = read_items(await json_object(request))
    answers: dict[str, asyncio.Task[Answer]] = {}

    async def run(item: Item) -> Answer:
        for other in item.depends_on:
            if (await answers[other]).status >= 400:
                return _failed_dependency(tenant, request)
        return await answer_to(request, item.method, f"/v1.0{item.url}", item.headers, item.body)

    for item in items:
        answers[item.id] = asyncio.create_task(run(item))
    for task in answers.values():
        await task
    responses = [_response(tenant, name, task.result()) for name, task in answers.items()]
    if tenant.switches.batch_shuffled:
        tenant.rng.shuffle(responses)
    return JSONResponse({"responses": responses})


def read_items(body: Mapping[str, Any]) -> list[Item]:
    """
    The items of a batch. Raises Refusal.

    Documented: at most 20 (facts/graph.md section 4), ids unique, URLs relative to the version;
    either fully sequential or fully parallel (Graph, "Combine multiple HTTP requests using JSON
    batching"). Reported: 400 for a mixed batch.
    Assumed: 400 for any batch that breaks a rule; sequential means each after the previous one.
    """
    raw = body.get("requests")
    if not isinstance(raw, list) or not raw:
        raise bad_request("Invalid batch payload format.")
    if len(raw) > LARGEST:
        raise bad_request(f"Number of batch request steps exceeds the maximum of {LARGEST}.")
    items: list[Item] = []
    for entry in raw:
        if not isinstance(entry, dict):
            raise bad_request("Invalid batch payload format.")
        item = _item(entry)
        known = {earlier.id for earlier in items}
        if item.id in known:
            raise bad_request(f"Request Id has to be unique in a batch: '{item.id}'.")
        if not known.issuperset(item.depends_on):
            raise bad_request(f"Request '{item.id}' depends on a request that is not before it.")
        items.append(item)
    chain = [(), *((item.id,) for item in items[:-1])]
    if any(item.depends_on for item in items) and [item.depends_on for item in items] != chain:
        raise bad_request("Batch should be either fully sequential or fully parallel.")
    return items


def _item(entry: Mapping[str, Any]) -> Item:
    name, method, url = entry.get("id"), entry.get("method"), entry.get("url")
    headers = entry.get("headers") or {}
    depends_on = entry.get("dependsOn") or []
    if not isinstance(name, str) or not name:
        raise bad_request("Request Id must be a string that is not empty.")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise bad_request(f"Invalid method of request '{name}'.")
    if not isinstance(url, str) or "://" in url or url.startswith("//") or not url.strip("/"):
        raise bad_request(f"The url of request '{name}' must be relative.")
    if url.lstrip("/").lower().startswith("$batch"):
        raise bad_request("A batch cannot hold a batch.")
    if not isinstance(headers, dict) or not isinstance(depends_on, list):
        raise bad_request("Invalid batch payload format.")
    if not all(isinstance(other, str) for other in depends_on):
        raise bad_request("Invalid batch payload format.")
    lowered = {str(key).lower(): str(value) for key, value in headers.items()}
    body = _body(name, entry.get("body"), lowered)
    return Item(name, method.upper(), "/" + url.lstrip("/"), lowered, body, tuple(depends_on))


def _body(name: str, raw: object, headers: Mapping[str, str]) -> bytes:
    """An object is JSON and needs its content type; a string is the base64 of anything else."""
    if raw is None:
        return b""
    if "content-type" not in headers:
        raise bad_request(f"Write request id : {name} does not contain Content-Type header.")
    if isinstance(raw, str) and "json" not in headers["content-type"]:
        try:
            return base64.b64decode(raw, validate=True)
        except ValueError as error:
            raise bad_request(f"The body of request '{name}' is not base64.") from error
    return json.dumps(raw).encode()


def _failed_dependency(tenant: Tenant, request: Request) -> Answer:
    message = "A request that this one depends on has failed."
    body = error_body("FailedDependency", message, tenant.now(), request_ids(request.headers))
    return Answer(424, {"Content-Type": "application/json"}, json.dumps(body).encode())


def _response(tenant: Tenant, name: str, answer: Answer) -> dict[str, Any]:
    headers = {key: value for key, value in answer.headers.items() if key != "Content-Length"}
    response: dict[str, Any] = {"id": name, "status": answer.status, "headers": headers}
    if answer.body and "json" in headers.get("Content-Type", ""):
        response["body"] = json.loads(answer.body)
    elif answer.body:
        response["body"] = _base64(tenant, answer.body)
    return response


def _base64(tenant: Tenant, content: bytes) -> str:
    """
    A binary body as text.

    Documented only as base64: alphabet and padding are chosen at random, so that a client must
    accept all of them (facts/graph.md section 4); the switch `batchBase64` forces one.
    """
    chosen = tenant.switches.batch_base64
    if chosen not in ALPHABETS:
        chosen = tenant.rng.choice(ALPHABETS)
    encode = base64.urlsafe_b64encode if chosen.startswith("urlsafe") else base64.standard_b64encode
    text = encode(content).decode()
    return text.rstrip("=") if chosen.endswith("-unpadded") else text
