"""The webhook's settings, read without all others, which would cost it time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class WebhookSettings:
    """The two settings the webhook needs; if empty, it ignores every notification."""

    tenant_id: str
    client_state: str = field(repr=False)

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> WebhookSettings:
        """Read *env* without ever failing: a bad setting elsewhere must not lose notifications."""
        return cls(
            tenant_id=env.get("TENANT_ID", "").strip(),
            client_state=env.get("CLIENT_STATE", "").strip(),
        )
