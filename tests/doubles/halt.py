"""An app that nobody uninstalls, or one that somebody does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Halting:
    """A Halt; `ordered` is the id of the uninstall that runs, empty without one."""

    ordered: str = ""

    def is_on(self) -> bool:
        return self.ordered != ""

    def orders(self, uninstall_id: str) -> bool:
        return self.ordered == uninstall_id
