"""The deployed app: its console's API, and its routes as anybody finds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import requests

from admin.console.address import Address
from admin.console.console import Console
from admin.terminal.fields import Fields
from admin.terminal.problems import Unreachable
from admin.terminal.waiting import wait_until
from shared.session import OneHostSession

_PATIENCE = (10, 60)


class App:
    """One deployed app. Every method raises Problem."""

    def __init__(self, console: Console, address: Address) -> None:
        self.console = console
        self._address = address
        # User and run of a copy that was ordered and whose end nobody has seen.
        self._ordered: tuple[str, str] | None = None

    @property
    def host(self) -> str:
        """The host of the app, and its port if it has one."""
        return self._address.host

    @property
    def key(self) -> str:
        """The function key; empty where somebody signs in."""
        return self._address.key

    def copy(self, user: str, *, force: bool, seconds: float) -> Fields:
        """Order a copy, wait until that run is over, and look at both sides. Raises Late."""
        self._ordered = user, self.console.replay(user, force=force).text("correlationId")
        self.finish(seconds)
        return self.console.user(user)

    def finish(self, seconds: float) -> None:
        """Wait for the copy that was ordered last, if it is not over. Raises Late."""
        if self._ordered is None:
            return
        user, run = self._ordered

        def look() -> bool | None:
            replays = self.console.state(user).part("state").raw.get("replays")
            return True if isinstance(replays, list) and run in replays else None

        late = f"The ordered copy was not over within {seconds:.0f} s."
        wait_until(look, seconds=seconds, late=late)
        self._ordered = None

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
    ) -> requests.Response:
        """One request as it stands, without the console's key; an iterator goes out in chunks."""
        with OneHostSession() as session:
            trust: str | bool | None = self._address.ca or None
            try:
                return session.request(
                    method,
                    f"{self._address.url}/{path}",
                    headers=headers,
                    data=body,
                    verify=trust,
                    timeout=_PATIENCE,
                )
            except requests.RequestException as error:
                kind = type(error).__name__
                raise Unreachable(f"The app did not answer ({kind}).") from error
