"""Carries a plan out: step by step, in its order, with patience for a directory that replicates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from admin.grants import certificate
from admin.grants.certificate import Held
from admin.grants.directory import Directory
from admin.grants.found import Application, Principal
from admin.grants.graph import Answered
from admin.grants.plan import (
    Act,
    AddKey,
    Allow,
    Assign,
    Change,
    CreatePrincipal,
    Forbid,
    MakeCertificate,
    Register,
    State,
    Step,
    Unassign,
)
from admin.grants.sites import Sites
from admin.terminal.problems import Problem
from admin.terminal.waiting import wait_until

T = TypeVar("T")

# Without these the steps behind them have nobody to grant to.
_VITAL = (MakeCertificate, Register, CreatePrincipal)
# What Graph says of an object that has not reached every replica (facts: graph.md section 8).
_NOT_YET = (
    "does not reference a valid application object",
    "not a valid reference update",
    "queried reference-property objects are not present",
)


@dataclass
class Subject:
    """Whom to grant to; what does not exist yet is filled in by the step that makes it."""

    principal: Principal | None = None
    application: Application | None = None
    held: Held | None = None
    file: Path | None = None
    name: str = ""


class Worker:
    """Does one act after the other for one subject."""

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
        self._directory = directory
        self._sites = sites
        self._subject = subject
        self._seconds = seconds
        self._clock = clock
        self._pause = pause

    def carry_out(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Each step as it has become; one that fails does not keep the others from it."""
        stuck = False
        for step in steps:
            if step.act is None:
                yield step
            elif stuck:
                yield replace(step, state=State.SKIPPED)
            else:
                done = self._try(step, step.act)
                stuck = done.problem is not None and isinstance(step.act, _VITAL)
                yield done

    def _try(self, step: Step, act: Act) -> Step:
        try:
            self._do(act)
        except Problem as problem:
            return replace(step, state=State.FAILED, problem=problem)
        return replace(step, state=State.DONE)

    def _do(self, act: Act) -> None:
        match act:
            case MakeCertificate() | Register() | AddKey() | CreatePrincipal():
                self._make(act)
            case Assign(resource, role_id):
                principal = self._principal()
                self._patiently(lambda: self._directory.assign(principal.id, resource, role_id))
            case Unassign(assignment, service):
                self._directory.unassign(assignment, service)
            case Allow(site_id):
                principal = self._principal()
                self._patiently(lambda: self._sites.allow(site_id, principal))
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
                self._patiently(lambda: self._directory.add_key(application, key))
                subject.application = replace(application, has_key=True)
            case CreatePrincipal():
                client_id = self._application().app_id
                subject.principal = self._patiently(
                    lambda: self._directory.create_principal(client_id)
                )

    def _patiently(self, do: Callable[[], T]) -> T:
        """What *do* returns, once the directory knows everywhere what it is about."""

        def attempt() -> tuple[T] | None:
            try:
                return (do(),)
            except Answered as answer:
                if not _is_not_yet(answer):
                    raise
                return None

        (result,) = wait_until(
            attempt,
            seconds=self._seconds,
            late=(
                "Entra has not made the new object known everywhere in time: repeat the command, "
                "it goes on from there."
            ),
            clock=self._clock,
            pause=self._pause,
        )
        return result

    def _principal(self) -> Principal:
        assert self._subject.principal, "a plan that grants has somebody to grant to"
        return self._subject.principal

    def _application(self) -> Application:
        assert self._subject.application, "a plan about a registration has one"
        return self._subject.application

    def _held(self) -> Held:
        assert self._subject.held, "a plan that uses a certificate has one"
        return self._subject.held


def _is_not_yet(answer: Answered) -> bool:
    told = answer.message.lower()
    return answer.status == 404 or (
        answer.status == 400 and any(sentence in told for sentence in _NOT_YET)
    )
