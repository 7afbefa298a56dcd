"""Carries out the plan for an identity: its registration, its roles and its sites."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from admin.grants import certificate
from admin.grants.certificate import Held
from admin.grants.directory import Directory
from admin.grants.executor import Executor
from admin.grants.found import Application, Principal
from admin.grants.plan import (
    AddKey,
    Allow,
    Assign,
    Change,
    CreatePrincipal,
    Forbid,
    MakeCertificate,
    Register,
    Unassign,
)
from admin.grants.sites import Sites


@dataclass
class Subject:
    """The identity to grant to; a step that creates something fills it in here."""

    principal: Principal | None = None
    application: Application | None = None
    held: Held | None = None
    file: Path | None = None
    name: str = ""


class Worker(Executor):
    """Grants rights to one identity, or revokes them."""

    vital = (MakeCertificate, Register, CreatePrincipal)

    def __init__(
        self,
        directory: Directory,
        sites: Sites,
        subject: Subject,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(seconds=seconds, clock=clock, pause=pause)
        self._directory = directory
        self._sites = sites
        self._subject = subject

    def _do(self, act: object) -> None:
        match act:
            case MakeCertificate() | Register() | AddKey() | CreatePrincipal():
                self._make(act)
            case Assign(resource, role_id):
                principal = self._principal()
                self._retried(lambda: self._directory.assign(principal.id, resource, role_id))
            case Unassign(assignment, service):
                self._directory.unassign(assignment, service)
            case Allow(site_id):
                principal = self._principal()
                self._retried(lambda: self._sites.allow(site_id, principal))
            case Change(site_id, permission_id):
                self._sites.change(site_id, permission_id)
            case Forbid(site_id, permission_id):
                self._sites.forbid(site_id, permission_id)

    def _make(self, act: MakeCertificate | Register | AddKey | CreatePrincipal) -> None:
        subject = self._subject
        match act:
            case MakeCertificate():
                assert subject.file, "a plan that makes a certificate has a file for it"
                name = subject.name or (subject.application.name if subject.application else "")
                subject.held = certificate.make(subject.file, name, datetime.now(UTC))
            case Register(name):
                key = certificate.key_credential(self._held())
                subject.application = self._directory.register(name, key)
            case AddKey():
                application, key = self._application(), certificate.key_credential(self._held())
                self._retried(lambda: self._directory.add_key(application, key))
                subject.application = replace(application, has_key=True)
            case CreatePrincipal():
                client_id = self._application().app_id
                subject.principal = self._retried(
                    lambda: self._directory.create_principal(client_id)
                )

    def _principal(self) -> Principal:
        assert self._subject.principal, "a plan that grants has somebody to grant to"
        return self._subject.principal

    def _application(self) -> Application:
        assert self._subject.application, "a plan about a registration has one"
        return self._subject.application

    def _held(self) -> Held:
        assert self._subject.held, "a plan that uses a certificate has one"
        return self._subject.held
