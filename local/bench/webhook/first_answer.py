"""
`python -m local.bench.webhook.first_answer APP ITEMS`: load an app through the engine as a
new instance does, answer a handshake of Graph, or a POST of so many notifications, say in one line
how many users that queued, and stay until stdin ends. Settings come from the environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from local.bench.webhook.posts import notifications, post, queued
from local.host.engine import Engine

TOKEN = "Validation: Testing client application reachability"
# What a webhook asks for before it takes a notification for a genuine one.
SETTINGS = {"TENANT_ID": "00000000-0000-4000-8000-000000000001", "CLIENT_STATE": "secret"}


async def answer(app: Path, items: int) -> int:
    """How many users are queued. Fails unless *app* returns the token, or accepts the POST."""
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
    # What ends a process is no part of a start.
    sys.stdin.read()
    os._exit(0)
