"""A valid deployment in the simulated Microsoft 365, in which the doctor finds nothing wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from local.m365.tenant.records import App, Subscription
from shared.doctor.examination import Check
from shared.runtime import build
from tests.local.m365.simulator import PHOTOSYNC_APP, TENANT_ID, Cloud

WEBHOOK = "https://photosync.contoso.com/api/notifications?code=a-key"


class Examined(NamedTuple):
    """The result of one examination."""

    ok: bool
    checks: list[Check]

    @property
    def wrong(self) -> list[str]:
        return [check.name for check in self.checks if not check.ok]

    @property
    def causes(self) -> list[str]:
        """Failed checks, without those that could not run because of another."""
        return [check.name for check in self.checks if not check.ok and check.looked]

    def of(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)


class Clinic:
    """Settings and a tenant that fit together; each test breaks one thing."""

    def __init__(self, cloud: Cloud, storage: str) -> None:
        urls = cloud.tenant.urls
        self.cloud, self.tenant = cloud, cloud.tenant
        self.register(
            graph_roles=frozenset({"User.Read.All", "ProfilePhoto.Read.All"}),
            sharepoint_roles=frozenset({"User.ReadWrite.All", "Sites.Selected"}),
        )
        self.env = {
            "TENANT_ID": TENANT_ID,
            "CLIENT_ID": PHOTOSYNC_APP,
            "CLIENT_CERTIFICATE": str(cloud.client_certificate),
            "SHAREPOINT_TENANT": "contoso",
            "LOGIN_URL": urls.login,
            "GRAPH_URL": urls.graph,
            "SHAREPOINT_MY_URL": urls.my,
            "SHAREPOINT_ADMIN_URL": urls.admin,
            "WEBHOOK_URL": WEBHOOK,
            "CLIENT_STATE": "a-state-of-the-clinic",
            "AzureWebJobsStorage": storage,
        }
        cloud.add_user("anne")
        self.subscribe(WEBHOOK)

    @property
    def app(self) -> App:
        """The app's registration in Entra."""
        return self.tenant.apps[PHOTOSYNC_APP]

    def register(self, **changes: Any) -> None:
        """Change the app's registration in Entra."""
        self.tenant.apps[PHOTOSYNC_APP] = replace(self.app, **changes)

    def subscribe(self, url: str) -> None:
        one = Subscription(
            self.tenant.new_id(),
            PHOTOSYNC_APP,
            "users",
            "updated,deleted",
            url,
            self.tenant.now() + timedelta(days=20),
        )
        self.tenant.subscriptions = {one.id: one}

    def examine(self, env: Mapping[str, str] | None = None) -> Examined:
        report = build({**self.env, **(env or {})}).doctor.examine()
        return Examined(report["ok"], [Check(**check) for check in report["checks"]])
