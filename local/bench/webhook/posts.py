"""POSTs to the webhook as the host passes them to the engine."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping

from local.bench.burst.notification_body import notification_body
from local.host.engine import Datum, Engine, Result

# The caller's trace; nothing reads it.
_TRACE = f"00-{'1' * 32}-{'2' * 16}-00"


async def post(
    engine: Engine, function_id: str, *, query: Mapping[str, str], body: bytes = b""
) -> Result:
    """Post to a function of *engine*, as the host does."""
    value = {
        "method": _text("POST"),
        "url": _text("https://localhost/api/notifications"),
        "headers": _texts({"host": "localhost", "content-type": "application/json"}),
        "params": {},
        "query": _texts({"code": "key", **query}),
        "body": Datum(body, "bytes"),
    }
    return await run(engine, function_id, "req", Datum(value, "http"))


async def run(engine: Engine, function_id: str, parameter: str, value: Datum) -> Result:
    """Run a function of *engine*. Raises RuntimeError if it fails."""
    ended = await engine.invoke(str(uuid.uuid4()), function_id, [(parameter, value)], {}, _TRACE)
    if not ended.ok:
        raise RuntimeError(ended.error)
    return ended


def queued(ended: Result) -> int:
    """The number of users that an invocation queued, in single messages or in a bundle."""
    handed = {name: json.loads(datum.value) for name, datum in ended.outputs}
    bundles = [json.loads(text).get("userIds", []) for text in handed.get("upkeep", [])]
    return len(handed.get("sync", [])) + sum(map(len, bundles))


def notifications(items: int, *, tenant_id: str, client_state: str) -> bytes:
    """The body of a POST about *items* users, the same ones each time."""
    rng = random.Random(items)
    ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(items)]
    return notification_body(ids, tenant_id=tenant_id, client_state=client_state)


def _texts(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: str) -> Datum:
    return Datum(value, "string")
