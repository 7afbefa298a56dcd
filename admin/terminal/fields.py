"""A JSON answer as a command reads it: a missing or malformed field counts as empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Fields:
    """One JSON object. A field that an older or newer app does not send is not an error."""

    raw: Mapping[str, Any]

    @classmethod
    def of(cls, value: Any) -> Fields:
        return cls(value if isinstance(value, dict) else {})

    def __bool__(self) -> bool:
        return bool(self.raw)

    def text(self, name: str) -> str:
        value = self.raw.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        value = self.raw.get(name)
        return value if isinstance(value, int) else 0

    def flag(self, name: str) -> bool:
        return self.raw.get(name) is True

    def part(self, name: str) -> Fields:
        """The object under *name*; an empty one for null."""
        return Fields.of(self.raw.get(name))

    def parts(self, name: str) -> list[Fields]:
        """The objects in the list under *name*."""
        value = self.raw.get(name)
        return [Fields.of(each) for each in value] if isinstance(value, list) else []

    def moment(self, name: str) -> datetime | None:
        """The time under *name*, in UTC."""
        try:
            found = datetime.fromisoformat(self.text(name))
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def when(self, name: str) -> str:
        """The time under *name* as people read it: UTC, to the second."""
        found = self.moment(name)
        return f"{found:%Y-%m-%d %H:%M:%SZ}" if found else self.text(name)
