"""
Deterministic simulation: days of a whole tenant, in one process and in milliseconds each.

The product's own worker, upkeep, sweep, audit, subscription keeper and webhook, in three instances,
stand between imitated services under one clock and one scheduler. A seed decides everything that
happens; the same seed is the same history, down to the call at which a run dies.
"""
