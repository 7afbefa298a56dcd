"""
Sets WEBHOOK_URL and CLIENT_STATE in a deployed app.

azd runs this after provisioning and after deploying; `azd hooks run postdeploy` repeats it. Both
settings are derived from keys of the function `notifications`, which Azure generates and stores. So
they survive redeployments, nobody has to store them, and the URL that Graph keeps gives access to
that function only. CLIENT_STATE is a hash, so it gives no access. Neither is ever shown, or passed
to another program on its command line.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

# azd runs this file as a script, so only its own folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[2]))

from infra.hooks.azure_cli import AGAIN, AzureCli, HookError, part

T = TypeVar("T")

FUNCTION = "notifications"
KEYS = GRAPH_KEY, CLIENT_STATE_KEY = "graph", "client-state"
API_VERSION = "2025-03-01"
# Keys of an app that was just deployed or configured can be read only once it has started.
TRIES, SECONDS_APART = 20, 6.0
SECONDS_TO_RESTART = "90"
# In az's errors while the app starts; the first one comes with Bad Request.
_STARTING = ("from host runtime", "Service Unavailable", "Bad Gateway", "Gateway Timeout")


@dataclass(frozen=True)
class Deployment:
    """The deployment, from azd's variables: the outputs of infra/main.bicep."""

    subscription: str
    group: str
    app: str
    url: str
    storage: str
    sharepoint_tenant: str
    # The managed identity; rights go to it, or to the app registration if there is one.
    identity: str
    registration: str = ""

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> Deployment:
        """Read *env*, or raise one HookError that names everything missing."""
        names = {
            "subscription": "AZURE_SUBSCRIPTION_ID",
            "group": "AZURE_RESOURCE_GROUP",
            "app": "PHOTOSYNC_APP_NAME",
            "url": "PHOTOSYNC_URL",
            "storage": "PHOTOSYNC_STORAGE_ACCOUNT",
            "sharepoint_tenant": "SHAREPOINT_TENANT",
            "identity": "PHOTOSYNC_IDENTITY_PRINCIPAL_ID",
        }
        missing = ", ".join(name for name in names.values() if not env.get(name))
        if missing:
            raise HookError(f"{missing} missing: run `azd provision`, then {AGAIN}.")
        known = {field: env[name] for field, name in names.items()}
        return cls(**known, registration=env.get("PHOTOSYNC_APP_REGISTRATION", ""))

    @property
    def path(self) -> str:
        """The app's resource id."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{group}/providers/Microsoft.Web/sites/{self.app}"


def wanted(deployment: Deployment, keys: Mapping[str, str]) -> dict[str, str]:
    """The right values of the two settings."""
    code = quote(keys[GRAPH_KEY], safe="")
    return {
        "WEBHOOK_URL": f"{deployment.url}/api/{FUNCTION}?code={code}",
        # Not the key itself: every notification contains it.
        "CLIENT_STATE": hashlib.sha256(keys[CLIENT_STATE_KEY].encode()).hexdigest(),
    }


class Azure:
    """The app in Azure, through `az`; raises only HookError."""

    def __init__(self, deployment: Deployment, pause: Callable[[float], None]) -> None:
        self._deployment = deployment
        self._pause = pause
        self._az = AzureCli()

    def is_deployed(self) -> bool:
        """Whether the app has the function that Graph calls; False while the app starts."""
        try:
            functions = part(self._ask("get", "functions"), "value", list)
        except HookError as error:
            if _is_starting(error):
                return False
            raise
        names = [part(each, "name", str) for each in functions if isinstance(each, dict)]
        return any(name.rpartition("/")[2] == FUNCTION for name in names)

    def wait_for_code(self) -> None:
        """Wait until Azure lists the deployed function, some time after the deployment."""
        for _ in range(TRIES):
            if self.is_deployed():
                return
            self._pause(SECONDS_APART)
        raise HookError(
            f"The deployed app has no function `{FUNCTION}`: its log stream in the portal says "
            f"why. Then run {AGAIN}."
        )

    def keys(self) -> dict[str, str]:
        """Return both keys; Azure generates a missing one first."""
        keys = self._list_keys()
        missing = [name for name in KEYS if name not in keys]
        for name in missing:
            # Azure generates the value, because none is given.
            make = partial(self._az.put, self._url(f"functions/{FUNCTION}/keys/{name}"))
            self._when_started(partial(make, {"name": name}))
        return self._wait_for_keys() if missing else keys

    def _wait_for_keys(self) -> dict[str, str]:
        """Wait until Azure lists the new keys: its list may be out of date."""
        for _ in range(TRIES):
            keys = self._list_keys()
            if len(keys) == len(KEYS):
                return keys
            self._pause(SECONDS_APART)
        raise HookError(
            f"Azure does not list the new keys of `{FUNCTION}` yet: run {AGAIN} in a few minutes."
        )

    def settings(self) -> dict[str, str]:
        """Return all settings of the app."""
        return part(self._ask("post", "config/appsettings/list"), "properties", dict)

    def write_settings(self, settings: dict[str, str]) -> None:
        """Replace all settings by *settings*; the app restarts."""
        self._az.put(self._url("config/appsettings"), settings)

    def ask_for_subscription(self) -> None:
        """Add `renew` to the queue photo-upkeep."""
        into = ["--account-name", self._deployment.storage, "--queue-name", "photo-upkeep"]
        into += ["--subscription", self._deployment.subscription]
        put = ["storage", "message", "put", *into, "--content", "renew", "--auth-mode", "login"]
        # Only after the restart: with its old settings the app would leave this to a timer.
        later = ["--visibility-timeout", SECONDS_TO_RESTART]
        self._az.run([*put, *later, "--output", "none"])

    def _list_keys(self) -> dict[str, str]:
        """Return those of our two keys that Azure lists."""
        answer = self._when_started(partial(self._ask, "post", f"functions/{FUNCTION}/listkeys"))
        # Azure returns the keys themselves; its documentation puts them under `properties`.
        told = answer.get("properties") or answer
        listed = told if isinstance(told, dict) else {}
        return {name: str(listed[name]) for name in KEYS if listed.get(name)}

    def _when_started(self, do: Callable[[], T]) -> T:
        for _ in range(TRIES - 1):
            try:
                return do()
            except HookError as error:
                if not _is_starting(error):
                    raise
                self._pause(SECONDS_APART)
        return do()

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        return self._az.ask(method, self._url(path))

    def _url(self, path: str) -> str:
        return f"{self._deployment.path}/{path}?api-version={API_VERSION}"


def _is_starting(error: HookError) -> bool:
    return any(sign in str(error) for sign in _STARTING)


def connect(azure: Azure, deployment: Deployment) -> bool:
    """Correct both settings; False if they were right."""
    settings = wanted(deployment, azure.keys())
    # Read last, so as not to overwrite what somebody sets while the app starts.
    present = azure.settings()
    if settings.items() <= present.items():
        return False
    azure.write_settings(present | settings)
    return True


def what_is_left(deployment: Deployment, asked: str) -> str:
    """The text that tells a person what to do next."""
    whose = f"--identity {deployment.identity}"
    if deployment.registration:
        whose = f"--app {deployment.registration}"
    return f"""
{asked}
Next, if not done before:
  python manage.py grant {whose} --sharepoint-tenant {deployment.sharepoint_tenant} --device-code
      as an admin of Microsoft 365: grants exactly the rights that PhotoSync needs
  azd hooks run postdeploy
      requests the subscription again, now that PhotoSync has the rights for it
Then open {deployment.url}/api/console. Unless sign-in is on, it asks for a key:
  az functionapp keys list -g {deployment.group} -n {deployment.app} --query functionKeys.default
"""


def main(
    arguments: list[str], env: Mapping[str, str], pause: Callable[[float], None] = time.sleep
) -> int:
    """Run `postprovision` or `postdeploy`; returns 0, or 1 or 130 with one sentence on stderr."""
    try:
        _run(arguments, env, pause)
    except HookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped before everything was connected: run {AGAIN}.\n")
        return 130
    return 0


def _run(arguments: list[str], env: Mapping[str, str], pause: Callable[[float], None]) -> None:
    deployment = Deployment.from_mapping(env)
    azure = Azure(deployment, pause)
    if arguments == ["postdeploy"]:
        azure.wait_for_code()
    elif not azure.is_deployed():
        sys.stdout.write("No code is deployed yet, nothing to connect: run `azd deploy`.\n")
        return
    changed = connect(azure, deployment)
    how = "are set; the app restarts" if changed else "were already set"
    sys.stdout.write(f"WEBHOOK_URL and CLIENT_STATE {how}.\n")
    try:
        azure.ask_for_subscription()
        asked = "The app was told to create or renew its subscription."
    except HookError as error:
        asked = f"The subscription will be created at the next renewal ({error})."
    sys.stdout.write(what_is_left(deployment, asked))


if __name__ == "__main__":
    # Exit like an error, so that the file with the settings is deleted first.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:], os.environ))
