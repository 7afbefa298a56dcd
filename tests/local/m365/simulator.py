"""A simulator for tests: its certificates, its registrations, and its clients."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msal
import requests

from local.cloud.certificates import Certificates, make_certificates, make_client_certificate
from local.m365.config import AppConfig, Config
from local.m365.entra.tokens import issue_to_person
from local.m365.server import Simulator, running
from local.m365.tenant.admins import AZURE_CLI, Person
from local.m365.tenant.records import Profile, User
from local.m365.tenant.tenant import Tenant

TENANT_ID = "5a2b7c1e-0d7f-4a55-9a0e-6c1a52f4be01"
ADMIN_APP = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad001"
PHOTOSYNC_APP = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad002"
POOR_APP = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad003"
IDENTITY = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad004"
SECRET = "not-so-secret"
IDENTITY_HEADER = "header-of-this-app"

GRAPH_ROLES = (
    "User.Read.All",
    "User.ReadWrite.All",
    "ProfilePhoto.Read.All",
    "ProfilePhoto.ReadWrite.All",
    "GroupMember.Read.All",
)
SHAREPOINT_ROLES = ("User.ReadWrite.All", "Sites.FullControl.All")
DIRECTORY_SCOPES = ("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All")
SITE_SCOPES = ("Sites.FullControl.All",)
EVENTUAL = {"ConsistencyLevel": "eventual"}
TIMEOUT = 120  # a bound against hangs
# The documented limits of the smallest tenant (graph.md section 4, sharepoint.md section 5).
STRICT = {
    "photo_requests_at_once": 4,
    "photo_requests_per_10_minutes": 10_000,
    "people_calls_per_5_minutes": 3_000,
}


class HostSession(requests.Session):
    """A session with one host: a path is appended to *base*, and every call has a timeout."""

    def __init__(self, base: str, token: str) -> None:
        super().__init__()
        self.base = base
        self.headers["Authorization"] = f"Bearer {token}"
        self.headers["Accept"] = "application/json;odata=nometadata"

    def request(
        self, method: str | bytes, url: str | bytes, *args: Any, **options: Any
    ) -> requests.Response:
        path = str(url)
        options.setdefault("timeout", TIMEOUT)
        complete = self.base + path if path.startswith("/") else path
        return super().request(method, complete, *args, **options)


@dataclass(frozen=True)
class Cloud:
    """A running simulator, and sessions of its clients."""

    simulator: Simulator
    certificates: Certificates
    client_certificate: Path
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)  # by audience and app

    @property
    def tenant(self) -> Tenant:
        return self.simulator.tenant

    def client(self, client_id: str = ADMIN_APP, certificate: Path | None = None) -> Any:
        """An msal application with a certificate."""
        pem = (certificate or self.client_certificate).read_text()
        return msal.ConfidentialClientApplication(
            client_id,
            authority=f"{self.tenant.urls.login}/{TENANT_ID}",
            client_credential={"private_key": pem, "public_certificate": pem},
            instance_discovery=False,
        )

    def token(self, audience: str, client_id: str = ADMIN_APP) -> str:
        """A token by certificate; cached, as in a client."""
        key = audience, client_id
        if key not in self.tokens:
            result = self.client(client_id).acquire_token_for_client([f"{audience}/.default"])
            self.tokens[key] = str(result["access_token"])
        return self.tokens[key]

    def bearer(self, audience: str, *, refused: str = "") -> str:
        """As `token`; makes a Cloud the tokens of an Http."""
        return self.token(audience)

    @contextmanager
    def session(self, audience: str, client_id: str = ADMIN_APP) -> Iterator[HostSession]:
        """A session of an app with the host *audience*."""
        with HostSession(self._base(audience), self.token(audience, client_id)) as session:
            yield session

    @contextmanager
    def signed_in(
        self, *roles: str, scopes: tuple[str, ...] = DIRECTORY_SCOPES + SITE_SCOPES
    ) -> Iterator[HostSession]:
        """A session with Graph of a person with these directory roles and delegated scopes."""
        person, graph = Person("admin@contoso.com", frozenset(roles)), self.tenant.urls.graph
        token = issue_to_person(self.tenant, person, AZURE_CLI, graph, scopes)
        with HostSession(self._base(graph), token) as session:
            yield session

    def _base(self, audience: str) -> str:
        return f"{audience}/v1.0" if audience == self.tenant.urls.graph else audience

    def sim(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of the control API, which must accept the request."""
        answer = self._control(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None) -> int:
        """The status with which the control API refuses a request."""
        return self._control(method, path, body).status_code

    def _control(self, method: str, path: str, body: Any) -> requests.Response:
        url = f"{self.tenant.urls.control}/_sim{path}"
        return requests.request(method, url, json=body, timeout=TIMEOUT)

    def renew(self) -> None:
        """Empty the tenant, and set the documented limits."""
        self.tenant.reset()
        for name, most in STRICT.items():
            setattr(self.tenant.switches, name, most)

    def add_user(self, name: str, *, profile: bool = True) -> User:
        """A user `<name>@contoso.com`."""
        user = User(
            id=self.tenant.new_id(),
            user_principal_name=f"{name}@contoso.com",
            display_name=name.title(),
            mail=f"{name}@contoso.com",
            profile=Profile() if profile else None,
        )
        return self.tenant.add_user(user)


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and code of an error, in Graph's form or in SharePoint's."""
    body = answer.json()
    return answer.status_code, str((body.get("odata.error") or body["error"])["code"])


@contextmanager
def cloud(folder: Path, **more: Any) -> Iterator[Cloud]:
    """A simulator for the length of a `with` block, keys in *folder*; *more* goes to Config."""
    certificates = make_certificates(folder)
    client = make_client_certificate(folder, "client")
    config = Config(
        tenant_id=TENANT_ID,
        certificate=certificates.certificate,
        key=certificates.key,
        ca=certificates.ca,
        apps=tuple(_apps(client)),
        identity_header=IDENTITY_HEADER,
        **more,
    )
    # Not `session.verify`: the variable takes precedence over it in requests.
    trust = {"REQUESTS_CA_BUNDLE": str(certificates.ca)}
    with patch.dict(os.environ, trust), running(config) as simulator:
        # With real names, SharePoint's hosts are reached through the proxy.
        through = {"https_proxy": simulator.urls.proxy, "no_proxy": "localhost,127.0.0.1"}
        with patch.dict(os.environ, through if simulator.urls.proxy else {}):
            yield Cloud(simulator, certificates, client)


def _apps(certificate: Path) -> Iterator[AppConfig]:
    app = functools.partial(AppConfig, certificate=certificate)
    yield app(ADMIN_APP, secret=SECRET, graph_roles=GRAPH_ROLES, sharepoint_roles=SHAREPOINT_ROLES)
    yield app(
        PHOTOSYNC_APP,
        graph_roles=("User.Read.All",),
        sharepoint_roles=("User.ReadWrite.All", "Sites.Selected"),
        site_grant="write",
    )
    yield app(POOR_APP, sharepoint_roles=("User.Read.All", "Sites.Selected"), site_grant="read")
    yield AppConfig(IDENTITY, sharepoint_roles=SHAREPOINT_ROLES, managed_identity=True)
