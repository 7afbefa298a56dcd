"""Signs an order before it is carried out, and records how it ended."""

from __future__ import annotations

import dataclasses
from types import TracebackType

from shared.errors import PhotoSyncError
from shared.orders.order import FAILED, Order
from shared.orders.order_log import OrderLog


class Signing:
    """
    One order while it is checked and carried out: if the block raises an error, the order was
    refused, or it failed if it had been given.
    """

    def __init__(self, log: OrderLog, order: Order) -> None:
        self._log = log
        self.order = order
        self.file = ""

    def __enter__(self) -> Signing:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if not isinstance(error, PhotoSyncError):
            return
        if self.file:
            self.end(FAILED, str(error))
        else:
            self._log.refuse(self.order, error)

    def about(self, user_id: str, upn: str) -> None:
        """Say which user the order is about, as soon as that is known; either may be empty."""
        self.order = dataclasses.replace(
            self.order, user_id=user_id, user_principal_name=upn or self.order.user_principal_name
        )

    def give(self) -> None:
        """Log the order. Raises ServiceDown, AccessDenied: then it must not be carried out."""
        self.file = self._log.give(self.order)

    def end(self, result: str, detail: str = "") -> None:
        """Record how it ended."""
        self._log.end(self.order, self.file, result, detail)
