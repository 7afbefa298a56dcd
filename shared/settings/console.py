"""Who may open the console, as the settings say; a module of its own, as it is read first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ConsoleSettings:
    """
    `client_id` is that of the console's app registration (CONSOLE_SIGN_IN): people sign in with it;
    empty is off. `takes_keys` (CONSOLE_KEYS): whether a function key opens the console besides.
    `is_checked`: whether the platform says that it checks who signs in, and so keeps the header in
    which it names them from everybody else (functions.md section Sign-in).
    """

    client_id: str
    takes_keys: bool
    is_checked: bool
    tenant_id: str

    @property
    def signs_in(self) -> bool:
        """Whether keys alone are out: without any the console stays shut, until people sign in."""
        return self.client_id != "" or not self.takes_keys

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> ConsoleSettings:
        """Read *env* without ever failing: in doubt nobody gets in, and the webhook works on."""
        keys = env.get("CONSOLE_KEYS", "").strip().casefold()
        return cls(
            client_id=env.get("CONSOLE_SIGN_IN", "").strip(),
            takes_keys=keys in {"", "true"},
            is_checked=env.get("WEBSITE_AUTH_ENABLED", "").strip().casefold() == "true",
            tenant_id=env.get("TENANT_ID", "").strip(),
        )
