"""How many messages one instance works on at once, and how soon it looks for the next."""

from __future__ import annotations

from local.cloud.stack import REPO
from local.host.settings import load_host_options

_QUEUES = load_host_options(REPO).queues
# What host.json says; functions.md, "Storage-queue trigger".
AT_ONCE = _QUEUES.batch_size + _QUEUES.new_batch_threshold
# In seconds, between two looks at a queue that has been empty for a while.
LONGEST_POLL = _QUEUES.max_polling_interval.total_seconds()
