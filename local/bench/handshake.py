"""
`python -m local.bench.handshake APP`: load an app through the engine as a new instance does, answer
one handshake of Graph, say so in one line, and stay until stdin ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from local.bench.posts import post
from local.host.engine import Engine

TOKEN = "Validation: Testing client application reachability"


async def main(app: Path) -> None:
    """Fail unless the webhook of *app* answers with the token."""
    engine = Engine()
    found = await engine.load(app)
    webhook = next(each.id for each in found if each.name == "notifications")
    answer = await post(engine, webhook, query={"validationToken": TOKEN})
    if answer.value["body"].value != TOKEN.encode():
        raise SystemExit(f"{app}: this is no answer to a handshake: {answer.value}")
    print("answered", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
    # What ends a process is no part of a start.
    sys.stdin.read()
    os._exit(0)
