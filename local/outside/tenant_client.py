"""
An admin's own scripts: what any client with the right roles can do to the tenant from outside.

They know nothing of PhotoSync and share no code with it, so their observations are evidence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from local.cloud.endpoints import Endpoints

_TIMEOUT = 30
_PEOPLE = "/_api/SP.UserProfiles.PeopleManager"


class Shown(NamedTuple):
    """What SharePoint shows of a user: profile properties, and the picture files by size letter."""

    profile: Mapping[str, str]
    files: Mapping[str, bytes]


class TenantClient:
    """Calls Graph, SharePoint and the simulator's control API with one app registration."""

    def __init__(self, endpoints: Endpoints, client_id: str, certificate: Path) -> None:
        self._endpoints = endpoints
        self._session = requests.Session()
        # Otherwise REQUESTS_CA_BUNDLE and proxies of the machine would override the next line.
        self._session.trust_env = False
        self._session.verify = endpoints.ca
        if endpoints.proxy:
            # To SharePoint's hosts by name through the proxy, everything else directly.
            self._session.proxies = {"https": endpoints.proxy, "https://localhost": ""}
        pem = Path(certificate).read_text(encoding="utf-8")
        public = x509.load_pem_x509_certificate(pem.encode())
        self._app = msal.ConfidentialClientApplication(
            client_id,
            client_credential={
                "private_key": pem,
                "thumbprint": public.fingerprint(hashes.SHA1()).hex(),
            },
            authority=f"{endpoints.login}/{endpoints.tenant_id}",
            instance_discovery=False,
            http_client=self._session,
        )

    def put_photo(self, user_id: str, photo: bytes, content_type: str) -> None:
        """Change a user's photo in Exchange, as any client of Graph would."""
        path = f"/v1.0/users/{user_id}/photo/$value"
        self._graph("PUT", path, data=photo, headers={"Content-Type": content_type})

    def delete_photo(self, user_id: str) -> None:
        self._graph("DELETE", f"/v1.0/users/{user_id}/photo/$value")

    def photo(self, user_id: str) -> bytes | None:
        """The current photo in Exchange; None without a photo."""
        reply = self._send("GET", self._endpoints.graph, f"/v1.0/users/{user_id}/photo/$value")
        return None if reply.status_code == 404 else _content(reply)

    def change_user(self, user_id: str, fields: Mapping[str, Any]) -> None:
        """Edit a user in Entra."""
        self._graph("PATCH", f"/v1.0/users/{user_id}", json=dict(fields))

    def delete_user(self, user_id: str) -> None:
        """Delete a user in Entra; the user can be restored."""
        self._graph("DELETE", f"/v1.0/users/{user_id}")

    def restore_user(self, user_id: str) -> None:
        self._graph("POST", f"/v1.0/directory/deletedItems/{user_id}/restore")

    def move_expiry(self, subscription_id: str, expires_at: datetime) -> None:
        """Change when a subscription of this registration expires."""
        order = {"expirationDateTime": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self._graph("PATCH", f"/v1.0/subscriptions/{subscription_id}", json=order)

    def shown(self, upn: str) -> Shown:
        """What SharePoint shows of a user, found as a page finds it: through PictureURL."""
        account = quote("i:0#.f|membership|" + upn.replace("'", "''"), safe="")
        reply = self._send(
            "GET",
            self._endpoints.sharepoint_admin,
            f"{_PEOPLE}/GetPropertiesFor(accountName=@v)?@v='{account}'",
        )
        pairs = json.loads(_content(reply)).get("UserProfileProperties") or []
        profile = {pair["Key"]: pair["Value"] for pair in pairs}
        url = profile.get("PictureURL") or ""
        if not url:
            return Shown(profile, {})
        paths, host = picture_paths(url), self._host_of(url)
        return Shown(profile, {size: self._file(host, path) for size, path in paths.items()})

    def files_at(self, picture_url: str) -> set[str]:
        """Which of the three files for that URL exist, by size, even if no page shows them."""
        paths, host = picture_paths(picture_url), self._host_of(picture_url)
        found = {size: self._get_file(host, path) for size, path in paths.items()}
        return {size for size, reply in found.items() if reply.status_code != 404}

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the simulator's control API: see local/m365/README.md."""
        url = f"{self._endpoints.control}/_sim{path}"
        return json.loads(_content(self._session.request(method, url, json=body, timeout=_TIMEOUT)))

    def _host_of(self, picture_url: str) -> str:
        """The host of *picture_url* if hosts have real names; else the only host."""
        if not self._endpoints.proxy:
            return self._endpoints.sharepoint_my
        return f"https://{urlsplit(picture_url).hostname}"

    def _file(self, host: str, path: str) -> bytes:
        return _content(self._get_file(host, path))

    def _get_file(self, host: str, path: str) -> requests.Response:
        literal = quote(path.replace("'", "''"), safe="")
        call = f"/_api/web/GetFileByServerRelativePath(decodedurl='{literal}')/$value"
        return self._send("GET", host, call)

    def _graph(self, method: str, path: str, **options: Any) -> requests.Response:
        reply = self._send(method, self._endpoints.graph, path, **options)
        _content(reply)
        return reply

    def _send(self, method: str, host: str, path: str, **options: Any) -> requests.Response:
        token = self._app.acquire_token_for_client([f"{host}/.default"])
        headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "Accept": "application/json;odata=nometadata",
            **options.pop("headers", {}),
        }
        return self._session.request(
            method, host + path, headers=headers, timeout=_TIMEOUT, **options
        )


def picture_paths(picture_url: str) -> dict[str, str]:
    """The paths of the three files on their host, by size, as a page finds them."""
    path = unquote(urlsplit(picture_url).path)
    return {size: path.replace("_MThumb", f"_{size}Thumb") for size in "SML"}


def _content(reply: requests.Response) -> bytes:
    if not reply.ok:
        raise RuntimeError(
            f"{reply.request.method} {reply.url} → {reply.status_code}: {reply.text[:300]}"
        )
    return reply.content
