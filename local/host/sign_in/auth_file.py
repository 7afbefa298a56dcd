"""The configuration of App Service authentication: the file form of `authsettingsV2`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.refusal import Refused


@dataclass(frozen=True)
class AuthSettings:
    """The part of the file that this host obeys; `issuer` ends in /v2.0."""

    client_id: str
    issuer: str
    audiences: frozenset[str]
    excluded_paths: tuple[str, ...]


def load(path: Path) -> AuthSettings:
    """
    Read the file, or refuse what this host cannot simulate.

    Documented: Learn, configure-authentication-file-based: names and nesting. Only what PhotoSync's
    deployment sets is simulated: every request needs a sign-in with Entra, and is redirected to its
    login page.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        wanted = content["globalValidation"]
        entra = content["identityProviders"]["azureActiveDirectory"]
        registration = entra["registration"]
        _require(content["platform"], "enabled", True)
        _require(wanted, "unauthenticatedClientAction", "RedirectToLoginPage")
        _require(wanted, "redirectToProvider", "azureactivedirectory")
        return AuthSettings(
            client_id=registration["clientId"],
            issuer=registration["openIdIssuer"].rstrip("/"),
            audiences=frozenset(entra["validation"]["allowedAudiences"]),
            excluded_paths=tuple(wanted.get("excludedPaths", ())),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path.name} is not a usable sign-in configuration: {error!r}") from error


def _require(place: Mapping[str, Any], key: str, value: object) -> None:
    if place.get(key) != value:
        raise Refused(f"The local host supports only {value!r} as {key}, not {place.get(key)!r}")
