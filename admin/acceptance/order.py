"""The options of the command line, checked before anything is called."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.terminal.problems import Unusable
from shared.errors import SettingsError
from shared.settings.app import Settings

# Options that stand for settings of the app.
_SETTINGS = {
    "app": "CLIENT_ID",
    "certificate": "CLIENT_CERTIFICATE",
    "tenant": "TENANT_ID",
    "sharepoint_tenant": "SHAREPOINT_TENANT",
    "sharepoint_geos": "SHAREPOINT_GEOS",
    "cloud": "M365_CLOUD",
    "login_url": "LOGIN_URL",
    "graph_url": "GRAPH_URL",
    "sharepoint_my_url": "SHAREPOINT_MY_URL",
    "sharepoint_admin_url": "SHAREPOINT_ADMIN_URL",
}
_USUAL_FILE = Path("local.settings.json")


@dataclass(frozen=True)
class Order:
    """One call of `acceptance`; without *settings* only the deployed app is tested."""

    user: str
    unlicensed: str
    settings: Settings | None
    is_local: bool
    read_only: bool
    yes: bool
    by_hand: bool
    limit: float
    file: Path

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Order:
        """Build an order from click's options. Raises Unusable with one sentence."""
        if given["read_only"] and given["yes"]:
            raise Unusable("Give --read-only or --yes, not both.")
        if not given["user"].strip():
            raise Unusable("USER is empty: give the UPN of a test user.")
        if given["user"].strip().casefold() == given["unlicensed"].strip().casefold():
            raise Unusable("--unlicensed must name a different user from USER.")
        return cls(
            user=given["user"].strip(),
            unlicensed=given["unlicensed"].strip(),
            settings=_settings(given),
            is_local=given["local"],
            read_only=given["read_only"],
            yes=given["yes"],
            by_hand=not given["hands_off"],
            limit=given["timeout"],
            file=Path(given["output"]),
        )


def _settings(given: Mapping[str, Any]) -> Settings | None:
    file = Path(given["settings"]) if given["settings"] else None
    if file is None and given["local"] and _USUAL_FILE.exists():
        file = _USUAL_FILE
    values = read(file) if file else {}
    values |= {name: given[key] for key, name in _SETTINGS.items() if given[key]}
    if given["certificate"]:
        values["MANAGED_IDENTITY_CLIENT_ID"] = ""
    if not given["local"] and not (file or given["certificate"]):
        return None
    return settings_of(values)


def read(file: Path) -> dict[str, str]:
    """The values of a file like local.settings.json. Raises Unusable, which shows no value."""
    try:
        values = json.loads(file.read_text("utf-8"))["Values"]
        return {str(name): str(value) for name, value in dict(values).items()}
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unusable(
            f"{file} contains no readable settings: give a file like local.settings.sample.json "
            "with --settings."
        ) from error


def settings_of(values: Mapping[str, str]) -> Settings:
    """The app's settings in *values*; those that only the functions need may be missing."""
    if values.get("MANAGED_IDENTITY_CLIENT_ID"):
        raise Unusable(
            "A managed identity works only in Azure: give --app and --certificate of an app "
            "registration."
        )
    ours = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    if not values.get("CLIENT_STATE"):
        # Not used here, but required.
        ours["CLIENT_STATE"] = secrets.token_urlsafe(32)
    try:
        return Settings.from_mapping({**values, **ours})
    except SettingsError as error:
        raise Unusable(
            f"{error} Settings come from local.settings.json, --settings, or options such as "
            "--app, --certificate, --tenant and --sharepoint-tenant."
        ) from error
