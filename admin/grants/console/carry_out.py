"""Carries out the plan for the console's registration."""

from __future__ import annotations

import time
from collections.abc import Callable

from admin.grants.carry_out import Subject
from admin.grants.console import registration
from admin.grants.console.directory import ConsoleDirectory
from admin.grants.console.plan import (
    AssignRole,
    CorrectRegistration,
    CreatePrincipal,
    GrantConsent,
    Register,
    RequireAssignment,
    RevokeConsent,
    Unassign,
)
from admin.grants.directory import Directory
from admin.grants.executor import Executor
from admin.grants.found import Application
from admin.terminal.problems import Unsound

# First the scope, then its clients, and one spare attempt.
_WRITES = 3


class ConsoleWorker(Executor):
    """Creates or corrects the registration, and assigns its roles."""

    vital = (Register, CreatePrincipal)

    def __init__(
        self,
        console: ConsoleDirectory,
        directory: Directory,
        subject: Subject,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(seconds=seconds, clock=clock, pause=pause)
        self._console = console
        self._directory = directory
        self._subject = subject

    def _do(self, act: object) -> None:
        match act:
            case Register(callback):
                made = self._console.register(registration.new(callback))
                self._subject.application = Application(
                    made.text("id"), made.text("appId"), registration.NAME
                )
            case CorrectRegistration(callback):
                self._retried(lambda: self._correct(callback))
            case CreatePrincipal():
                client_id = self._application().app_id
                self._subject.principal = self._retried(
                    lambda: self._directory.create_principal(client_id)
                )
            case _:
                self._retried(lambda: self._admit(act, self._principal()))

    def _admit(self, act: object, principal_id: str) -> None:
        """Changes who may sign in; each of these is safe to repeat."""
        console = self._console
        match act:
            case RequireAssignment():
                console.require_assignment(principal_id)
            case GrantConsent(resource_id, scopes):
                console.grant_consent(principal_id, resource_id or principal_id, set(scopes))
            case AssignRole(role, member):
                console.assign(principal_id, role, member)
            case Unassign(assigned):
                console.unassign(principal_id, assigned)
            case RevokeConsent(consent):
                console.revoke_consent(consent)

    def _correct(self, callback: str) -> None:
        object_id = self._application().id
        for _ in range(_WRITES):
            # Read now: it may have changed while the admin read the plan.
            body = registration.changes(self._console.again(object_id), callback)
            if not body:
                return
            self._console.change(object_id, body)
        left = registration.differences(self._console.again(object_id), callback)
        if left:
            raise Unsound(
                f"Entra does not show the changes yet ({', '.join(left)}): repeat the command in a "
                "minute, with --client-id."
            )

    def _application(self) -> Application:
        assert self._subject.application, "a plan about a registration has one"
        return self._subject.application

    def _principal(self) -> str:
        assert self._subject.principal, "a plan that assigns has a service principal"
        return self._subject.principal.id
