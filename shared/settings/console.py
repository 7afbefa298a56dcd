"""Who may open the console, by the settings; a separate module, because it is read first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ConsoleSettings:
    """
    `client_id` is that of the console's app registration (CONSOLE_SIGN_IN), with which people sign
    in; empty turns that off. `takes_keys` (CONSOLE_KEYS): whether a function key also opens the
    console. `is_checked`: whether the platform says that it checks who signs in, and so strips the
    header that names the person from all other requests (functions.md section Sign-in).
    """

    client_id: str
    takes_keys: bool
    is_checked: bool
    tenant_id: str

    @property
    def signs_in(self) -> bool:
        """Whether its routes expect a sign-in; with neither keys nor sign-in it stays shut."""
        return self.client_id != "" or not self.takes_keys

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> ConsoleSettings:
        """Read *env* without ever failing: in doubt nobody gets in, and the webhook still works."""
        keys = env.get("CONSOLE_KEYS", "").strip().casefold()
        return cls(
            client_id=env.get("CONSOLE_SIGN_IN", "").strip(),
            takes_keys=keys in {"", "true"},
            is_checked=env.get("WEBSITE_AUTH_ENABLED", "").strip().casefold() == "true",
            tenant_id=env.get("TENANT_ID", "").strip(),
        )
