"""`grant --console`: reads, plans, carries out, and says what to set afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from admin.grants.carry_out import Subject
from admin.grants.console import plan
from admin.grants.console.carry_out import ConsoleWorker
from admin.grants.console.directory import ConsoleDirectory
from admin.grants.console.found import Found
from admin.grants.console.inventory import take_inventory
from admin.grants.console.registration import CALLBACK, NAME
from admin.grants.directory import Directory
from admin.grants.found import Application, Principal
from admin.grants.graph import Graph
from admin.grants.job import Job
from admin.grants.order import ConsoleOrder, Order
from admin.terminal.shell import Shell


def console_job(order: Order, wanted: ConsoleOrder, graph: Graph) -> Job:
    """Read and plan. Raises Problem."""
    found = take_inventory(wanted, graph)
    subject = _subject(found)
    if order.revoke:
        steps = plan.to_revoke(found, {member.id.casefold() for _, member in found.wanted})
    else:
        steps = plan.to_grant(found, f"{wanted.app_url}{CALLBACK}")
    worker = ConsoleWorker(
        ConsoleDirectory(graph), Directory(graph), subject, seconds=order.timeout
    )
    return Job(subject, steps, worker, (), lambda: _next(order, subject))


def _subject(found: Found) -> Subject:
    told, principal = found.application, found.principal
    return Subject(
        principal=Principal(
            principal.text("id"), principal.text("appId"), principal.text("displayName"), "Console"
        )
        if principal
        else None,
        application=Application(told.text("id"), told.text("appId"), told.text("displayName"))
        if told
        else None,
        name=NAME,
    )


def _next(order: Order, subject: Subject) -> Iterator[str]:
    if order.revoke:
        yield (
            "The registration stays. Existing sessions and tokens keep their role until they "
            "expire. To switch sign-in off: azd env set CONSOLE_SIGN_IN '' and azd provision."
        )
    elif subject.application:
        client_id = subject.application.app_id
        yield f"Client id of the console: {client_id}"
        yield f"Then: azd env set CONSOLE_SIGN_IN {client_id}, and azd provision"
        setting = Shell.here().setting("PHOTOSYNC_CLIENT_ID", client_id)
        yield f"In a terminal: {setting}, and leave out PHOTOSYNC_KEY."
        yield "A new role takes effect at the person's next sign-in."
