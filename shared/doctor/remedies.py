"""What to do about an error that a check of the doctor met: one sentence each."""

from __future__ import annotations

import re

from shared.errors import PhotoSyncError, ServiceDown, Throttled

_AADSTS = re.compile(r"AADSTS(\d+)")
# Documented: Entra's list of AADSTS codes.
_ENTRA = {
    "90002": "Set TENANT_ID to the directory id of your tenant, and M365_CLOUD to its cloud.",
    "700016": "Set CLIENT_ID to the app registration's id, and TENANT_ID to the tenant it is in.",
    "700024": "Set the clock of this machine: Entra compares it with its own.",
    "700027": (
        "Upload the public part of a certificate that has not expired to the app registration, "
        "and set CLIENT_CERTIFICATE to it with its private key."
    ),
    "7000229": "Grant admin consent to the app registration, which creates its service principal.",
}
_WAIT = "Wait a few minutes, then run the checks again: the service asked PhotoSync to wait."
_REACH = (
    "Check that this app can reach {what}: name resolution, firewall and proxy. Then check "
    "Microsoft's service health."
)


def remedy(error: PhotoSyncError, otherwise: str, *, what: str) -> str:
    """What to do: judged by the kind of *error* if possible, otherwise *otherwise*."""
    if isinstance(error, Throttled):
        return _WAIT
    if isinstance(error, ServiceDown):
        return _REACH.format(what=what)
    return otherwise


def entra_remedy(error: PhotoSyncError, unknown_resource: str) -> str:
    """What to do if there is no token; *unknown_resource* if Entra knows no such host."""
    found = _AADSTS.search(str(error))
    code = found[1] if found else ""
    if code == "500011":
        return unknown_resource
    otherwise = (
        f"Look up AADSTS{code} in Microsoft's list of Entra error codes, and fix what it names."
        if code
        else "Check TENANT_ID, M365_CLOUD, CLIENT_ID and CLIENT_CERTIFICATE, or that the managed "
        "identity is assigned to this app."
    )
    return remedy(error, _ENTRA.get(code, otherwise), what="Entra")
