"""One POST to a webhook: what is left of it when it is cut off."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path

from local.cloud.certificates import make_certificates
from local.m365.notifications import https_post
from tests.doubles.web import Answer
from tests.local.m365.webhook import DEADLINE, Call, webhook


def test_post_that_is_cut_off_leaves_no_socket(tmp_path: Path):
    """The event loop may end right after it, as when the simulator stops during a delivery."""
    certificates, over = make_certificates(tmp_path), threading.Event()

    def never(call: Call) -> Answer:
        over.wait(DEADLINE)
        return Answer(202)

    async def cut_off(url: str) -> None:
        trusted = str(certificates.ca)
        posting = asyncio.create_task(
            https_post.post(
                url, b"{}", content_type="text/plain", trusted_ca=trusted, budget=DEADLINE
            )
        )
        while not hook.calls:
            await asyncio.sleep(0.01)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)

    with webhook(certificates) as hook:
        hook.answer = never
        asyncio.run(asyncio.wait_for(cut_off(hook.url), DEADLINE))
        over.set()
    # An open socket is a ResourceWarning, which pytest reports as an error of this test.
    gc.collect()
