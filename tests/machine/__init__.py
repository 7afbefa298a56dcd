"""
Deterministic simulation: days of a whole tenant, in one process and in milliseconds each.

Three instances of the product's own worker, upkeep, sweep, audit, subscription keeper and webhook
use simulated services, under one clock and one scheduler. A seed decides everything that happens:
the same seed gives the same history, down to the call at which a run dies.
"""
