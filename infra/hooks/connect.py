"""
Tells a deployed app its own address and secret: WEBHOOK_URL and CLIENT_STATE.

azd runs it after provisioning and after deploying; `azd hooks run postdeploy` repeats it. Both
settings are made of keys of the function `notifications`, which Azure makes and keeps: so they stay
the same over redeployments, nobody has to store them, and Graph's copy of the address opens nothing
but that function. Neither is ever shown, nor given to another program on its command line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

FUNCTION = "notifications"
GRAPH_KEY, CLIENT_STATE_KEY = "graph", "client-state"
API_VERSION = "2024-11-01"
AGAIN = "`azd hooks run postdeploy`"
# An app that has just been deployed or set up answers for its keys only when it has started.
TRIES, SECONDS_APART = 20, 6.0
SECONDS_TO_RESTART = "90"
# Azure may answer with what it was sent.
SHORTEST_SECRET = 20
# How az tells it; the first one comes with Bad Request.
_STARTING = ("from host runtime", "Service Unavailable", "Bad Gateway", "Gateway Timeout")


class HookError(Exception):
    """Why the app could not be connected, in a sentence; it never shows a secret."""


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
        "CLIENT_STATE": keys[CLIENT_STATE_KEY],
    }


class Azure:
    """The app, through `az`; every error is a HookError."""

    def __init__(self, deployment: Deployment, pause: Callable[[float], None]) -> None:
        self._deployment = deployment
        self._pause = pause
        found = shutil.which("az")
        if found is None:
            raise HookError("az is missing: install the Azure CLI, then run `az login`.")
        self._az = found

    def is_deployed(self) -> bool:
        """Whether the app has the function that Graph calls; an app that is starting has none."""
        try:
            functions = self._rest("get", "functions")["value"]
        except HookError as error:
            if _is_starting(error):
                return False
            raise
        return any(each["name"].rpartition("/")[2] == FUNCTION for each in functions)

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
        missing = [name for name in (GRAPH_KEY, CLIENT_STATE_KEY) if not keys.get(name)]
        for name in missing:
            # Without a value: Azure makes one.
            self._when_started("put", f"functions/{FUNCTION}/keys/{name}", {"name": name})
        return self._list_keys() if missing else keys

    def settings(self) -> dict[str, str]:
        """All settings of the app."""
        return dict(self._rest("post", "config/appsettings/list")["properties"])

    def write_settings(self, settings: dict[str, str]) -> None:
        """Write *settings* in place of all there are; the app restarts with them."""
        self._rest("put", "config/appsettings", settings)

    def ask_for_subscription(self) -> None:
        """Type `renew` into the queue of upkeep."""
        into = ["--account-name", self._deployment.storage, "--queue-name", "photo-upkeep"]
        subscription = ["--subscription", self._deployment.subscription]
        put = ["storage", "message", "put", *into, "--content", "renew", "--auth-mode", "login"]
        # Not before the app has restarted: with its old settings it would leave this to a timer.
        later = ["--visibility-timeout", SECONDS_TO_RESTART]
        self._run([*put, *later, *subscription, "--output", "none"])

    def _list_keys(self) -> dict[str, str]:
        answer = self._when_started("post", f"functions/{FUNCTION}/listkeys")
        # The keys themselves, says Azure; under `properties`, says its documentation.
        return dict(answer.get("properties") or answer)

    def _when_started(
        self, method: str, path: str, properties: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        for _ in range(TRIES - 1):
            try:
                return self._rest(method, path, properties)
            except HookError as error:
                if not _is_starting(error):
                    raise
                self._pause(SECONDS_APART)
        return self._rest(method, path, properties)

    def _rest(
        self, method: str, path: str, properties: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        url = f"{self._deployment.path}/{path}?api-version={API_VERSION}"
        command = ["rest", "--method", method, "--url", url]
        if properties is None:
            return dict(json.loads(self._run(command)))
        # In a file that only we can read: a command line is there for everybody to see.
        handle, name = tempfile.mkstemp(suffix=".json")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as body:
                json.dump({"properties": properties}, body)
            secrets = [value for value in properties.values() if len(value) >= SHORTEST_SECRET]
            self._run([*command, "--body", f"@{name}", "--output", "none"], hide=secrets)
        finally:
            Path(name).unlink()
        return {}

    def _run(self, arguments: list[str], *, hide: Sequence[str] = ()) -> str:
        done = subprocess.run(
            [self._az, *arguments, "--only-show-errors"],
            capture_output=True,
            encoding="utf-8",
            # On Windows it writes in the code page of the terminal.
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise HookError(f"az {arguments[0]}: {_told(done.stderr, hide)}")
        return done.stdout


def _is_starting(error: HookError) -> bool:
    return any(sign in str(error) for sign in _STARTING)


def _told(errors: str, hide: Sequence[str]) -> str:
    """The first line of what az says that tells something."""
    for secret in hide:
        errors = errors.replace(secret, "...")
    lines = (line.removeprefix("ERROR:").strip() for line in errors.splitlines())
    telling = (line for line in lines if line and not line.startswith("The command failed with"))
    return next(telling, "no reason given")[:300]


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
Then look at {deployment.url}/api/console. It asks for a key:
  az functionapp keys list -g {deployment.group} -n {deployment.app} --query functionKeys.default
"""


def main(
    arguments: list[str], env: Mapping[str, str], pause: Callable[[float], None] = time.sleep
) -> int:
    """`postprovision` or `postdeploy`: 0, or 1 with one sentence on stderr."""
    try:
        deployment = Deployment.from_mapping(env)
        azure = Azure(deployment, pause)
        if arguments == ["postdeploy"]:
            azure.wait_for_code()
        elif not azure.is_deployed():
            sys.stdout.write("No code is deployed yet, so nothing is connected: `azd deploy`.\n")
            return 0
        changed = connect(azure, deployment)
    except HookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(
        "WEBHOOK_URL and CLIENT_STATE are set; the app restarts with them.\n"
        if changed
        else "WEBHOOK_URL and CLIENT_STATE are as they should be.\n"
    )
    try:
        azure.ask_for_subscription()
        asked = "The app was asked to make or renew its subscription."
    except HookError as error:
        asked = f"The subscription is made at the next renewal ({error})."
    sys.stdout.write(what_is_left(deployment, asked))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
