"""Who gave an order. The signature travels with it through queues and into the log of orders."""

from __future__ import annotations

from dataclasses import dataclass

# A person who signed in, a holder of a function key, a message typed into a queue.
PERSON, KEY, QUEUE = "person", "key", "queue"
# The app itself, by a timer or a sweep: not an order, and not in the log of orders.
APP = "app"


@dataclass(frozen=True)
class Signature:
    """
    `via` is one of PERSON, KEY, QUEUE and APP. For a person, `name` is their sign-in name and `id`
    their object id in Entra; otherwise both are empty.
    """

    via: str
    name: str = ""
    id: str = ""
