"""
Tells a deployed app its own address and secret: WEBHOOK_URL and CLIENT_STATE.

azd runs it after provisioning and after deploying; `azd hooks run postdeploy` repeats it. Both
settings are made of keys of the function `notifications`, which Azure makes and keeps: so they stay
the same over redeployments, nobody has to store them, and Graph's copy of the address opens nothing
but that function. CLIENT_STATE is made by a hash, and so opens nothing itself. Neither is ever
shown, nor given to another program on its command line.
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

# azd runs this file as a script: then only its own folder would be looked into.
sys.path.insert(0, str(Path(__file__).parents[2]))

from infra.hooks.azure_cli import AGAIN, AzureCli, HookError, part

T = TypeVar("T")

FUNCTION = "notifications"
KEYS = GRAPH_KEY, CLIENT_STATE_KEY = "graph", "client-state"
API_VERSION = "2025-03-01"
# An app that has just been deployed or set up answers for its keys only when it has started.
TRIES, SECONDS_APART = 20, 6.0
SECONDS_TO_RESTART = "90"
# How az tells it; the first one comes with Bad Request.
_STARTING = ("from host runtime", "Service Unavailable", "Bad Gateway", "Gateway Timeout")


@dataclass(frozen=True)
class Deployment:
    """What azd knows of the deployment: the outputs of infra/main.bicep, as variables."""

    subscription: str
    group: str
    app: str
    url: str
    storage: str
    sharepoint_tenant: str
    # Who is to be given rights: the managed identity, or an app registration if there is one.
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
        """The app in Azure Resource Manager."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{group}/providers/Microsoft.Web/sites/{self.app}"


def wanted(deployment: Deployment, keys: Mapping[str, str]) -> dict[str, str]:
    """The two settings, as they should be."""
    code = quote(keys[GRAPH_KEY], safe="")
    return {
        "WEBHOOK_URL": f"{deployment.url}/api/{FUNCTION}?code={code}",
        # Not the key itself: Graph repeats it in every notification.
        "CLIENT_STATE": hashlib.sha256(keys[CLIENT_STATE_KEY].encode()).hexdigest(),
    }


class Azure:
    """The app, through `az`; every error is a HookError."""

    def __init__(self, deployment: Deployment, pause: Callable[[float], None]) -> None:
        self._deployment = deployment
        self._pause = pause
        self._az = AzureCli()

    def is_deployed(self) -> bool:
        """Whether the app has the function that Graph calls; an app that is starting has none."""
        try:
            functions = part(self._ask("get", "functions"), "value", list)
        except HookError as error:
            if _is_starting(error):
                return False
            raise
        names = [part(each, "name", str) for each in functions if isinstance(each, dict)]
        return any(name.rpartition("/")[2] == FUNCTION for name in names)

    def wait_for_code(self) -> None:
        """Azure lists the functions of a new package a little after it was deployed."""
        for _ in range(TRIES):
            if self.is_deployed():
                return
            self._pause(SECONDS_APART)
        raise HookError(
            f"The deployed app has no function `{FUNCTION}`: its log stream in the portal says "
            f"why. Then run {AGAIN}."
        )

    def keys(self) -> dict[str, str]:
        """Both keys; one that is missing is made first, by Azure."""
        keys = self._list_keys()
        missing = [name for name in KEYS if name not in keys]
        for name in missing:
            # Without a value: Azure makes one.
            make = partial(self._az.put, self._url(f"functions/{FUNCTION}/keys/{name}"))
            self._when_started(partial(make, {"name": name}))
        return self._wait_for_keys() if missing else keys

    def _wait_for_keys(self) -> dict[str, str]:
        """The list may be older than a key that was made a moment ago."""
        for _ in range(TRIES):
            keys = self._list_keys()
            if len(keys) == len(KEYS):
                return keys
            self._pause(SECONDS_APART)
        raise HookError(
            f"Azure does not list the new keys of `{FUNCTION}` yet: run {AGAIN} in a few minutes."
        )

    def settings(self) -> dict[str, str]:
        """All settings of the app."""
        return part(self._ask("post", "config/appsettings/list"), "properties", dict)

    def write_settings(self, settings: dict[str, str]) -> None:
        """Write *settings* in place of all there are; the app restarts with them."""
        self._az.put(self._url("config/appsettings"), settings)

    def ask_for_subscription(self) -> None:
        """Type `renew` into the queue of upkeep."""
        into = ["--account-name", self._deployment.storage, "--queue-name", "photo-upkeep"]
        into += ["--subscription", self._deployment.subscription]
        put = ["storage", "message", "put", *into, "--content", "renew", "--auth-mode", "login"]
        # Not before the app has restarted: with its old settings it would leave this to a timer.
        later = ["--visibility-timeout", SECONDS_TO_RESTART]
        self._az.run([*put, *later, "--output", "none"])

    def _list_keys(self) -> dict[str, str]:
        """Those of our two keys that Azure lists."""
        answer = self._when_started(partial(self._ask, "post", f"functions/{FUNCTION}/listkeys"))
        # The keys themselves, says Azure; under `properties`, says its documentation.
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
    """Bring both settings to what they should be; False if they were."""
    settings = wanted(deployment, azure.keys())
    # Read last: what somebody sets while an app starts must not be written over.
    present = azure.settings()
    if settings.items() <= present.items():
        return False
    azure.write_settings(present | settings)
    return True


def what_is_left(deployment: Deployment, asked: str) -> str:
    """What a person does next."""
    whose = f"--identity {deployment.identity}"
    if deployment.registration:
        whose = f"--app {deployment.registration}"
    return f"""
{asked}
What is left, unless it was done before:
  python manage.py grant {whose} --sharepoint-tenant {deployment.sharepoint_tenant} --device-code
      as an admin of Microsoft 365: the rights that PhotoSync needs, and no others
  azd hooks run postdeploy
      asks for the subscription once more, now that it may be made
Then look at {deployment.url}/api/console. It asks for a key, if nobody signs in there:
  az functionapp keys list -g {deployment.group} -n {deployment.app} --query functionKeys.default
"""


def main(
    arguments: list[str], env: Mapping[str, str], pause: Callable[[float], None] = time.sleep
) -> int:
    """`postprovision` or `postdeploy`: 0, or 1 or 130 with one sentence on stderr."""
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
        sys.stdout.write("No code is deployed yet, so nothing is connected: `azd deploy`.\n")
        return
    changed = connect(azure, deployment)
    how = "set; the app restarts with them" if changed else "as they should be"
    sys.stdout.write(f"WEBHOOK_URL and CLIENT_STATE are {how}.\n")
    try:
        azure.ask_for_subscription()
        asked = "The app was asked to make or renew its subscription."
    except HookError as error:
        asked = f"The subscription is made at the next renewal ({error})."
    sys.stdout.write(what_is_left(deployment, asked))


if __name__ == "__main__":
    # It ends as an error does, so that the file with the settings goes first.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:], os.environ))
