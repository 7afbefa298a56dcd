"""Where to sign in to the console, as given on the command line or in the environment."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from admin.terminal.problems import Unusable
from shared.settings.clouds import CLOUDS
from shared.user import is_object_id


@dataclass(frozen=True)
class Account:
    """
    `client_id` is that of the console's app registration; if empty, the app must name it.
    `login_url` comes from LOGIN_URL or M365_CLOUD; empty if neither is set.
    """

    client_id: str = ""
    tenant: str = ""
    login_url: str = ""

    @classmethod
    def check(cls, client_id: str, tenant: str, *, login_url: str, cloud: str) -> Account:
        """The values from options or environment. Raises Unusable."""
        for option, value in (("--client-id", client_id), ("--tenant-id", tenant)):
            if value and not is_object_id(value):
                name = option.removeprefix("--").replace("-", "_").upper()
                raise Unusable(
                    f"{option} (or PHOTOSYNC_{name}) must be an id such as "
                    "01234567-89ab-cdef-0123-456789abcdef."
                )
        login_url = login_url.rstrip("/")
        if login_url and not (login_url.startswith("https://") and urlsplit(login_url).hostname):
            raise Unusable("LOGIN_URL must be empty, or begin with https:// and name a host.")
        if not login_url and cloud:
            login_url = CLOUDS[cloud].login_url
        return cls(client_id.lower(), tenant.lower(), login_url)
