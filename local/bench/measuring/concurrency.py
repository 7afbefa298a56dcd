"""How many messages one instance works on at once."""

from __future__ import annotations

from local.cloud.stack import REPO
from local.host.settings import load_host_options

_QUEUES = load_host_options(REPO).queues
# What host.json says; functions.md, "Storage-queue trigger".
AT_ONCE = _QUEUES.batch_size + _QUEUES.new_batch_threshold
