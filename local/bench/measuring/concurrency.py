"""How many messages one instance processes concurrently, and how often it polls."""

from __future__ import annotations

from local.cloud.stack import REPO
from local.host.settings import load_host_options

_QUEUES = load_host_options(REPO).queues
# From host.json; functions.md, "Storage-queue trigger".
AT_ONCE = _QUEUES.batch_size + _QUEUES.new_batch_threshold
# Seconds between two polls of a queue that has been empty for a while.
LONGEST_POLL = _QUEUES.max_polling_interval.total_seconds()
