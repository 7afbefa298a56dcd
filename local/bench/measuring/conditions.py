"""The conditions of all measurements, so that figures of different rows are comparable."""

# Timers fire years away, so that only requested work is measured.
SETTINGS = {"SWEEP_SCHEDULE": "0 0 0 29 2 *", "RENEW_SCHEDULE": "0 0 0 29 2 *"}
# The documented limits of Graph's photos and of the smallest tenant's profile calls.
LIMITS = {
    "photoRequestsAtOnce": 4,
    "photoRequestsPer10Minutes": 10_000,
    "peopleCallsPer5Minutes": 3_000,
}
# Milliseconds until a service starts to answer.
LATENCY = {"graph": 120, "sharepoint": 200}
# How long Graph waits for the answer to a first POST (graph.md section 3, documented).
GRAPH_WAITS = 3.0
PICTURE_SIZES = (48, 72, 300)
