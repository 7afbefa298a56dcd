"""
App settings that the user chooses for the local cloud: `up --set NAME=VALUE`, or `set` while it is
running, which restarts the app as a change in Azure does.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.cloud.occupancy import must_be_up
from shared.errors import SettingsError
from shared.settings.app import Settings

SAMPLE = Path(__file__).resolve().parents[1] / "local.settings.sample.json"
# The settings that connect the app to this local cloud.
_OWN = frozenset(
    "FUNCTIONS_WORKER_RUNTIME AzureWebJobsStorage TENANT_ID CLIENT_ID CLIENT_CERTIFICATE "
    "MANAGED_IDENTITY_CLIENT_ID SHAREPOINT_TENANT M365_CLOUD LOGIN_URL GRAPH_URL SHAREPOINT_MY_URL "
    "SHAREPOINT_ADMIN_URL CLIENT_STATE WEBHOOK_URL CONSOLE_SIGN_IN".split()
)


class BadSetting(Exception):
    """A setting cannot be changed like this; the text says what to do."""


def read(given: Sequence[str]) -> dict[str, str]:
    """The settings in *given*, each as NAME=VALUE. Raises BadSetting."""
    sample: dict[str, str] = json.loads(SAMPLE.read_text("utf-8"))["Values"]
    chosen: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadSetting(f"{text!r} is not a setting: give NAME=VALUE, such as DRY_RUN=true.")
        if name == "CONSOLE_SIGN_IN":
            raise BadSetting(f"{name} is set by the local cloud: start it with --sign-in instead.")
        if name == "M365_CLOUD":
            raise BadSetting(f"{name} is set by the local cloud: start it with --cloud instead.")
        if name in _OWN:
            raise BadSetting(
                f"{name} is set by the local cloud and cannot be changed: leave it out."
            )
        if name not in sample:
            raise BadSetting(_unknown(name, sample))
        chosen[name] = value
    _check(sample | chosen)
    return chosen


def write(folder: Path, changes: Mapping[str, str]) -> None:
    """Change the settings of the cloud running in *folder*. Raises NotUp if none is."""
    must_be_up(folder)
    path = folder / "local.settings.json"
    content = json.loads(path.read_text("utf-8"))
    content["Values"] |= changes
    # Replaced in one step, so that a reader sees either the old or the new settings.
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    os.replace(new, path)


def _unknown(name: str, sample: Mapping[str, str]) -> str:
    [*near] = difflib.get_close_matches(name.upper(), sample.keys() - _OWN, n=1)
    hint = f"did you mean {near[0]}?" if near else "docs/settings.md lists all settings."
    return f"There is no setting {name}: {hint}"


def _check(values: Mapping[str, str]) -> None:
    try:
        Settings.from_mapping({**values, "CLIENT_STATE": secrets.token_urlsafe(32)})
    except SettingsError as error:
        raise BadSetting(str(error)) from error
