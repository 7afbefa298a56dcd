"""An app that nobody uninstalls, or one that somebody does."""

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
        return self.ordered == uninstall_id


class Ordered(Halting):
    """An Uninstall, as far as upkeep and console know it: it only says what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.error: PhotoSyncError | None = None

    def latest(self) -> None:
        return None

    def must_be_off(self) -> None:
        if self.is_on():
            raise BadRequest("PhotoSync is being uninstalled.")

    def work_off(self, uninstall_id: str, page: int) -> None:
        if self.error:
            raise self.error
        self.done.append(f"{uninstall_id} page {page}")

    def fail(self, uninstall_id: str, why: str) -> None:
        self.done.append(f"{uninstall_id} failed: {why}")

    def go_on(self) -> None:
        self.done.append("go on")
