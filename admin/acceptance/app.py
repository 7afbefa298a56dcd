"""The deployed app: its console API, and its routes without authentication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import requests

from admin.console.address import Address
from admin.console.console import Console
from admin.terminal.fields import Fields
from admin.terminal.problems import Unreachable
from admin.terminal.waiting import wait_until
from shared.session import OneHostSession

_TIMEOUT = (10, 60)


class App:
    """One deployed app. Every method raises Problem."""

    def __init__(self, console: Console, address: Address) -> None:
        self.console = console
        self._address = address
        # User and run of the last copy ordered, until it has ended.
        self._ordered: tuple[str, str] | None = None

    @property
    def host(self) -> str:
        """The host of the app, and its port if it has one."""
        return self._address.host

    @property
    def key(self) -> str:
        """The function key; empty if the user signs in."""
        return self._address.key

    def copy(self, user: str, *, force: bool, seconds: float) -> Fields:
        """Order a copy, wait until that run has ended, and read both sides. Raises Late."""
        self._ordered = user, self.console.replay(user, force=force).text("correlationId")
        self.finish(seconds)
        return self.console.user(user)

    def finish(self, seconds: float) -> None:
        """Wait for the last copy ordered, if it has not ended. Raises Late."""
        if self._ordered is None:
            return
        user, run = self._ordered

        def poll() -> bool | None:
            replays = self.console.state(user).part("state").raw.get("replays")
            return True if isinstance(replays, list) and run in replays else None

        late = f"The copy did not finish within {seconds:.0f} s."
        wait_until(poll, seconds=seconds, late=late)
        self._ordered = None

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
    ) -> requests.Response:
        """One request as given, without the console's key; an iterator is sent in chunks."""
        with OneHostSession() as session:
            trust: str | bool | None = self._address.ca or None
            try:
                return session.request(
                    method,
                    f"{self._address.url}/{path}",
                    headers=headers,
                    data=body,
                    verify=trust,
                    timeout=_TIMEOUT,
                )
            except requests.RequestException as error:
                kind = type(error).__name__
                raise Unreachable(f"The app did not answer ({kind}).") from error
