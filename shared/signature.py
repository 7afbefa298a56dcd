"""Who gave an order: the signature that it carries through queues and into the log of orders."""

from __future__ import annotations

from dataclasses import dataclass

# A person who signed in, whoever holds a function key, and a message typed into a queue.
PERSON, KEY, QUEUE = "person", "key", "queue"
# A timer or a sweep: the app asks itself, which is no order and stands in no log of orders.
APP = "app"


@dataclass(frozen=True)
class Signature:
    """
    `via` is one of PERSON, KEY, QUEUE and APP. Of a person `name` is what they sign in with and
    `id` their object id in Entra; both are empty of everybody else.
    """

    via: str
    name: str = ""
    id: str = ""
