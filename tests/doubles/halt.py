"""Doubles for whether PhotoSync is being uninstalled."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import BadRequest, PhotoSyncError


@dataclass
class Halting:
    """A Halt; `ordered` is the id of the uninstall that runs, empty without one."""

    ordered: str = ""

    def is_on(self) -> bool:
        return self.ordered != ""

    def orders(self, uninstall_id: str) -> bool:
        return self.ordered == uninstall_id != ""


class Ordered(Halting):
    """An Uninstall as upkeep and console use it; it only records its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.error: PhotoSyncError | None = None

    def latest(self) -> None:
        return None

    def must_be_off(self) -> None:
        if self.is_on():
            raise BadRequest("PhotoSync is being uninstalled.")

    def process(self, uninstall_id: str, page: int) -> None:
        if self.error:
            raise self.error
        self.done.append(f"{uninstall_id} page {page}")

    def fail(self, uninstall_id: str, why: str) -> None:
        self.done.append(f"{uninstall_id} failed: {why}")

    def go_on(self) -> None:
        self.done.append("go on")
