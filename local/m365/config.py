"""Configuration read at start: ports, certificates, app registrations, seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from local.m365.tenant.clouds import CLOUDS
from local.m365.tenant.records import App

HOSTS = ("login", "graph", "my", "admin", "root", "control")


@dataclass(frozen=True)
class AppConfig:
    """One registration; `roles` by resource; `site_grant` is its role on each -my host."""

    client_id: str
    certificate: Path | None = None
    secret: str | None = field(default=None, repr=False)
    graph_roles: tuple[str, ...] = ()
    sharepoint_roles: tuple[str, ...] = ()
    site_grant: str | None = None
    managed_identity: bool = False
    name: str = "App"
    web: Mapping[str, Any] = field(default_factory=dict)  # as in Graph

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any]) -> AppConfig:
        roles = raw.get("roles", {})
        return cls(
            client_id=raw["clientId"],
            certificate=Path(raw["certificate"]) if raw.get("certificate") else None,
            secret=raw.get("secret"),
            graph_roles=tuple(roles.get("graph", ())),
            sharepoint_roles=tuple(roles.get("sharepoint", ())),
            site_grant=raw.get("siteGrant"),
            managed_identity=bool(raw.get("managedIdentity", False)),
            name=raw.get("name", cls.name),
            web=raw.get("web", {}),
        )

    def app(self) -> App:
        """The registration as stored in the tenant, with only the public certificate."""
        certificate = None
        if self.certificate is not None:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return App(
            client_id=self.client_id,
            certificate=certificate,
            secret=self.secret,
            graph_roles=frozenset(self.graph_roles),
            sharepoint_roles=frozenset(self.sharepoint_roles),
            managed_identity=self.managed_identity,
            name=self.name,
            settings={"web": self.web} if self.web else {},
        )


@dataclass(frozen=True)
class Config:
    """A port of 0, or none, lets the operating system choose."""

    tenant_id: str
    certificate: Path
    key: Path
    ca: Path | None = None
    apps: tuple[AppConfig, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    identity_header: str = field(default="", repr=False)
    # All hosts except control have their real names in *cloud* and are reached through a proxy.
    real_names: bool = False
    cloud: str = "global"
    # Other geographies: the start of their host names, and their picture folder.
    satellites: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.satellites and not self.real_names:
            raise ValueError("satellites need realNames")
        if self.cloud not in CLOUDS:
            raise ValueError(f"cloud must be one of {', '.join(CLOUDS)}")

    @classmethod
    def from_file(cls, path: Path) -> Config:
        """Read the JSON form with camelCase keys."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            tenant_id=raw["tenantId"],
            certificate=Path(raw["certificate"]),
            key=Path(raw["key"]),
            ca=Path(raw["ca"]) if raw.get("ca") else None,
            apps=tuple(AppConfig.from_mapping(app) for app in raw.get("apps", ())),
            ports=raw.get("ports", {}),
            seed=raw.get("seed", 0),
            identity_header=raw.get("identityHeader", ""),
            real_names=bool(raw.get("realNames", False)),
            satellites=raw.get("satellites", {}),
            cloud=raw.get("cloud", "global"),
        )
