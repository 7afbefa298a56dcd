"""The end of a host: any part with a reason ends it, and the first reason counts."""

import asyncio
import logging

log = logging.getLogger("host")

# The parent of the host holds the other end of its stdin and announces this with the variable: when
# that end closes, the host's worker must end too.
LEASH = "LOCAL_CLOUD_LEASH"


class Lifetime:
    """
    The end of this host: an orderly stop with exit code 0, as in Azure.

    In Azure the platform then starts the host again; here the local cloud does.
    """

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    def end(self, why: str, cause: BaseException | None = None) -> None:
        """Stop the host and log *why*, a sentence; only the first reason is logged."""
        if self._ended.is_set():
            return
        log.error("%s The host is shutting down.", why, exc_info=cause)
        self._ended.set()

    def end_quietly(self) -> None:
        """Stop the host on request."""
        self._ended.set()

    async def ended(self) -> None:
        """Return once the host has a reason to stop."""
        await self._ended.wait()
