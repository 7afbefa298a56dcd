"""
`python -m local.bench.webhook.first_answer APP ITEMS`: loads an app through the engine as a new
instance does, and answers Graph's handshake or a POST of ITEMS notifications.

It prints one line with the number of queued users, and waits until stdin ends. Settings come from
the environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from local.bench.webhook.posts import notifications, post, queued
from local.host.engine import Engine

TOKEN = "Validation: Testing client application reachability"
# What a webhook needs to accept a notification as genuine.
SETTINGS = {"TENANT_ID": "00000000-0000-4000-8000-000000000001", "CLIENT_STATE": "secret"}


async def answer(app: Path, items: int) -> int:
    """The number of queued users. Fails unless *app* returns the token, or accepts the POST."""
    engine = Engine()
    webhook = next(each.id for each in await engine.load(app) if each.name == "notifications")
    if items:
        body = notifications(
            items, tenant_id=os.environ["TENANT_ID"], client_state=os.environ["CLIENT_STATE"]
        )
        ended = await post(engine, webhook, query={}, body=body)
        right = ended.returned.value["status_code"].value == "202"
    else:
        ended = await post(engine, webhook, query={"validationToken": TOKEN})
        right = ended.returned.value["body"].value == TOKEN.encode()
    if not right:
        raise SystemExit(f"{app}: this is not what Graph expects: {ended.returned.value}")
    return queued(ended)


if __name__ == "__main__":
    found = asyncio.run(answer(Path(sys.argv[1]).resolve(), int(sys.argv[2])))
    print(f"answered, {found} queued", flush=True)
    # The shutdown of a process is not part of its start.
    sys.stdin.read()
    os._exit(0)
