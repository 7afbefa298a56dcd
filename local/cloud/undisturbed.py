"""What keeps a local cloud from starting runs that nobody ordered, so that runs can be counted."""

# App settings: the timers fire years away.
NO_TIMERS = dict.fromkeys(("RENEW_SCHEDULE", "SWEEP_SCHEDULE"), "0 0 0 29 2 *")
# Switches of the simulator: Graph waits two minutes for the webhook. After three seconds, which a
# busy machine may take, it would post the notification again, at any later moment.
PATIENT_GRAPH = {"firstBudgetSeconds": 120, "retryBudgetSeconds": 120}
