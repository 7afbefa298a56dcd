"""The conditions of all measurements, so that figures of different rows are comparable."""

import json
from pathlib import Path

from local.cloud.undisturbed import NO_TIMERS

REPO = Path(__file__).resolve().parents[3]
SETTINGS = NO_TIMERS
# The documented limits of Graph's photos and of the smallest tenant's profile calls.
LIMITS = {
    "photoRequestsAtOnce": 4,
    "photoRequestsPer10Minutes": 10_000,
    "peopleCallsPer5Minutes": 3_000,
}
# Milliseconds until a service starts to answer.
LATENCY = {"graph": 120, "sharepoint": 200}
PICTURE_SIZES = (48, 72, 300)

_QUEUES = json.loads((REPO / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
# How many messages one instance processes concurrently (functions.md, "Storage-queue trigger").
AT_ONCE: int = _QUEUES["batchSize"] + _QUEUES["newBatchThreshold"]
_HOURS, _MINUTES, _SECONDS = map(float, _QUEUES["maxPollingInterval"].split(":"))
# Seconds between two polls of a queue that has been empty for a while.
LONGEST_POLL = _HOURS * 3600 + _MINUTES * 60 + _SECONDS
