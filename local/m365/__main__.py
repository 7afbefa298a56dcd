"""`python -m local.m365 --config FILE`: serve until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from local.ending import ASKS
from local.m365 import server
from local.m365.config import Config


def main() -> None:
    """Serve; stdout gets only one JSON line, once every port accepts connections."""
    parser = argparse.ArgumentParser(prog="python -m local.m365", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON; see local/m365/README.md")
    config = Config.from_file(parser.parse_args().config)
    asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ASKS:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    tenant = server.tenant_of(config)

    def ready() -> None:
        print(json.dumps(server.readiness(tenant)), flush=True)

    await server.serve(tenant, config, ready=ready, stop=stop)


if __name__ == "__main__":
    main()
