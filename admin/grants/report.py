"""What `grant` prints: the plan, the results and what to do next, as a table or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from admin.grants.carry_out import Subject
from admin.grants.order import Order
from admin.grants.signin import Admin
from admin.grants.step import State, Step
from admin.terminal import problems
from admin.terminal.output import Output

# A token has the roles from when it was issued, and is cached: for a managed identity by the
# platform, even across restarts (facts: graph.md section 8), else by the app itself.
_KEPT_BY_AZURE = (
    "If the app has run before, Azure may cache its old tokens for up to 24 hours: until then the "
    "doctor may still report these rights as missing."
)
_KEPT_BY_THE_APP = "If the app is running, restart it: its tokens do not have these rights yet."
_SURPLUS = (
    "More is granted than PhotoSync needs. Remove it in Entra (Enterprise applications, "
    "Permissions), or, if grant gave it, run grant --revoke and then grant again."
)
_LEFT = (
    "The site has permissions that this command did not grant. They are left as they are, and the "
    "app may still use them. To remove one in Graph: DELETE /sites/{site-id}/permissions/{id}."
)


class Scene(NamedTuple):
    """The admin, the identity, and further notes."""

    admin: Admin
    subject: Subject
    notes: Sequence[str]


def show_plan(steps: Sequence[Step], scene: Scene, output: Output) -> None:
    """The admin, the tenant, the identity, and every line of the plan."""
    admin = scene.admin
    output.line(f"Tenant {admin.tenant or 'unknown'}, signed in as {admin.name or 'unknown'}.")
    output.line(f"Identity: {_called(scene.subject)}")
    output.table(
        ["state", "on", "right", "what for"],
        [[step.state, step.on, step.what, step.purpose] for step in steps],
    )
    for note in scene.notes:
        output.line(note, style="yellow")
    _show_problems(steps, State.UNKNOWN, output)


def _called(subject: Subject) -> str:
    principal, application = subject.principal, subject.application
    if principal:
        kind = "managed identity" if principal.kind == "ManagedIdentity" else "app"
        return f"{principal.name}, {kind} with client id {principal.app_id}."
    if application:
        return f"{application.name}, app with client id {application.app_id}."
    return f"{subject.name}, a new app."


def document(steps: Sequence[Step], scene: Scene, *, code: int) -> dict[str, Any]:
    """The whole result for programs; *code* is the verdict's exit code."""
    return {
        "ok": code == problems.FINE,
        "tenantId": scene.admin.tenant,
        "admin": scene.admin.name,
        "identity": _identity(scene.subject),
        "certificate": _certificate(scene.subject),
        "steps": [
            {
                "state": str(step.state),
                "on": step.on,
                "right": step.what,
                "purpose": step.purpose,
                "problem": str(step.problem or ""),
            }
            for step in steps
        ],
        "notes": list(scene.notes),
    }


def _identity(subject: Subject) -> Mapping[str, str]:
    principal, application = subject.principal, subject.application
    return {
        "name": principal.name if principal else application.name if application else subject.name,
        "clientId": principal.app_id if principal else application.app_id if application else "",
        "principalId": principal.id if principal else "",
        "kind": principal.kind if principal else "Application",
    }


def _certificate(subject: Subject) -> Mapping[str, str] | None:
    held = subject.held
    if held is None:
        return None
    return {
        "file": str(held.file.absolute()),
        "thumbprint": held.thumbprint,
        "expires": held.ends_at.isoformat(),
    }


def verdict(steps: Sequence[Step], *, exactly: bool) -> int:
    """
    The exit code: that of the first problem, else WRONG if anything is not as wanted.

    *exactly*: rights beyond the need are wrong, too.
    """
    for step in steps:
        if step.problem:
            return step.problem.exit_code
    fine = {State.THERE, State.DONE, State.LEFT} | (set() if exactly else {State.SURPLUS})
    return problems.FINE if all(step.state in fine for step in steps) else problems.WRONG


def show_check(steps: Sequence[Step], output: Output) -> None:
    """One sentence on whether exactly the needed rights are granted."""
    missing, surplus = (_count(steps, state) for state in (State.MISSING, State.SURPLUS))
    if missing or surplus:
        output.line(f"{missing} missing, {surplus} more than needed.", style="bold red")
    elif not any(step.problem for step in steps):
        output.line("PhotoSync has exactly the rights it needs.", style="green")


def show_end(
    steps: Sequence[Step], order: Order, next_lines: Iterable[str], output: Output
) -> None:
    """The results of the plan, and what to do next."""
    done, failed = _count(steps, State.DONE), _count(steps, State.FAILED, State.SKIPPED)
    output.table(
        ["state", "on", "right"],
        [[step.state, step.on, step.what] for step in steps if step.is_to_do],
        "Revoked" if order.revoke else "Done",
    )
    told = f"{done} done" + (f", {failed} not done" if failed else "")
    output.line(f"{told}.", style="bold red" if failed else "green")
    if done or order.revoke:
        show_following(next_lines, output)
    _show_problems(steps, State.FAILED, output)


def show_following(lines: Iterable[str], output: Output) -> None:
    for line in lines:
        output.line(line)


def following(order: Order, subject: Subject) -> Iterator[str]:
    """What to do after an identity's rights were granted or revoked."""
    if order.revoke:
        if order.app:
            yield "The app registration and its certificates are kept."
        return
    managed = subject.principal and subject.principal.kind == "ManagedIdentity"
    yield _KEPT_BY_AZURE if managed else _KEPT_BY_THE_APP
    held, application = subject.held, subject.application
    if held and application and order.certificate:
        yield (
            f"Set CLIENT_ID to {application.app_id}, and CLIENT_CERTIFICATE to the text of "
            f"{held.file.absolute()} (a Key Vault reference keeps it out of the settings). "
            f"Keep the file secret; it expires on {held.ends_at:%Y-%m-%d}."
        )
    yield "To check that the app works with these rights: manage.py doctor"


def show_surplus(steps: Sequence[Step], output: Output) -> None:
    """Rights beyond the need, or not ours to revoke, and how to remove them."""
    if _count(steps, State.LEFT):
        output.line(_LEFT, style="yellow")
    if _count(steps, State.SURPLUS):
        output.line(_SURPLUS, style="yellow")


def _show_problems(steps: Sequence[Step], state: State, output: Output) -> None:
    """Each reason once, on stderr."""
    told = (str(step.problem) for step in steps if step.state is state)
    for sentence in dict.fromkeys(told):
        output.error(sentence)


def _count(steps: Sequence[Step], *states: State) -> int:
    return sum(step.state in states for step in steps)
