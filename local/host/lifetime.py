"""How long a host goes on: whoever has a reason to end it says so, once is enough."""

import asyncio
import logging

log = logging.getLogger("host")

# Whoever started the host holds the other end of its stdin, and says so with this variable: when
# that ends, so must the host's worker.
LEASH = "LOCAL_CLOUD_LEASH"


class Lifetime:
    """
    The end of this host, which is a stop in order with exit code 0, as in Azure.

    There the platform starts a host that has ended so anew; here the local cloud does.
    """

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    def end(self, why: str, cause: BaseException | None = None) -> None:
        """Stop the host, since *why*, which is a sentence; only the first reason is told."""
        if self._ended.is_set():
            return
        log.error("%s The host is shutting down.", why, exc_info=cause)
        self._ended.set()

    def end_quietly(self) -> None:
        """Stop the host, since somebody asked it to."""
        self._ended.set()

    async def ended(self) -> None:
        """Return once the host has a reason to stop."""
        await self._ended.wait()
