"""
Another instance of the app besides that of a stack.

On Flex Consumption the functions of a queue run on separate instances, which get no signal when a
message arrives (functions.md, "Python").
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.cloud.children import Child
from local.cloud.stack import REPO, Stack, app_settings

# For the stack's own instance, which then has the webhook and everything else.
WITHOUT_COPYING = {"AzureWebJobs.sync_photo.Disabled": "1"}


@contextmanager
def instance(stack: Stack, name: str, settings: Mapping[str, str]) -> Iterator[int]:
    """
    Run an instance with these app settings added to the stack's, for the duration of the block.

    Yields the id of its process.
    """
    folder = stack.host_log.parent
    file = folder / f"{name}.settings.json"
    file.touch(mode=0o600)
    values = {**app_settings(stack.endpoints), **settings}
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values}), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "local.host", "--app", str(REPO), "--settings", str(file)),
        *("--key-file", str(folder / "keys.json"), "--ca", stack.endpoints.ca),
    ]
    log = folder / f"{name}.log"
    with Child(name, command, log=log, cwd=REPO, stops_at=signal.SIGINT) as child:
        child.wait_for(lambda line: line.startswith("{") or None)
        yield child.process.pid
