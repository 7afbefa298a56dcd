"""What `grant` says: the plan, what became of it, and what to do next; as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from admin.grants.carry_out import Subject
from admin.grants.order import Order
from admin.grants.signin import Admin
from admin.grants.step import State, Step
from admin.terminal import problems
from admin.terminal.output import Output

# Tokens have the roles of the moment they were made, and somebody keeps them: for a managed
# identity the platform, whatever is restarted (facts: graph.md section 8), else the app itself.
_KEPT_BY_AZURE = (
    "If the app ran before, the platform may keep its old tokens for up to 24 hours: until then "
    "the doctor can still miss what is granted now."
)
_KEPT_BY_THE_APP = "If the app runs already, restart it: its tokens are without these rights."
_SURPLUS = (
    "More is granted than PhotoSync needs. Take it away in Entra (Enterprise applications, "
    "Permissions), or, if grant gave it: --revoke, then grant again."
)
_LEFT = (
    "On the site more is granted than grant gives, and it is left as it is: the app may still use "
    "it. Whoever gave it takes it away (in Graph: DELETE /sites/{site-id}/permissions/{id})."
)


class Scene(NamedTuple):
    """Who acts, on whom, and what else there is to say."""

    admin: Admin
    subject: Subject
    notes: Sequence[str]


def show_plan(steps: Sequence[Step], scene: Scene, output: Output) -> None:
    """Who acts in which tenant, on whom, and every line of the plan."""
    admin = scene.admin
    output.line(f"Tenant {admin.tenant or 'unknown'}, signed in as {admin.name or 'unknown'}.")
    output.line(f"Identity: {_called(scene.subject)}")
    output.table(
        ["state", "on", "right", "what for"],
        [[step.state, step.on, step.what, step.purpose] for step in steps],
    )
    for note in scene.notes:
        output.line(note, style="yellow")
    _complain(steps, State.UNKNOWN, output)


def _called(subject: Subject) -> str:
    principal, application = subject.principal, subject.application
    if principal:
        kind = "managed identity" if principal.kind == "ManagedIdentity" else "app"
        return f"{principal.name}, {kind} with client id {principal.app_id}."
    if application:
        return f"{application.name}, app with client id {application.app_id}."
    return f"{subject.name}, a new app."


def document(steps: Sequence[Step], scene: Scene, *, code: int) -> dict[str, Any]:
    """Everything for a program; *code* is what the verdict comes to."""
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
    The exit code: that of the first problem, WRONG if anything is not as it is wanted.

    *exactly*: what is granted beyond the need is wrong too.
    """
    for step in steps:
        if step.problem:
            return step.problem.exit_code
    fine = {State.THERE, State.DONE, State.LEFT} | (set() if exactly else {State.SURPLUS})
    return problems.FINE if all(step.state in fine for step in steps) else problems.WRONG


def show_check(steps: Sequence[Step], output: Output) -> None:
    """Whether exactly what is needed is granted, in one sentence."""
    missing, surplus = (_count(steps, state) for state in (State.MISSING, State.SURPLUS))
    if missing or surplus:
        output.line(f"{missing} missing, {surplus} more than needed.", style="bold red")
    elif not any(step.problem for step in steps):
        output.line("Exactly what PhotoSync needs is granted.", style="green")


def show_end(
    steps: Sequence[Step], order: Order, next_lines: Iterable[str], output: Output
) -> None:
    """What became of the plan, and what to do next."""
    done, failed = _count(steps, State.DONE), _count(steps, State.FAILED, State.SKIPPED)
    output.table(
        ["state", "on", "right"],
        [[step.state, step.on, step.what] for step in steps if step.is_to_do],
        "Taken away" if order.revoke else "Done",
    )
    told = f"{done} done" + (f", {failed} not done" if failed else "")
    output.line(f"{told}.", style="bold red" if failed else "green")
    if done or order.revoke:
        show_following(next_lines, output)
    _complain(steps, State.FAILED, output)


def show_following(lines: Iterable[str], output: Output) -> None:
    for line in lines:
        output.line(line)


def following(order: Order, subject: Subject) -> Iterator[str]:
    """What to do after an identity was granted its rights, or lost them."""
    if order.revoke:
        if order.app:
            yield "The app registration and its certificates are left as they are."
        return
    managed = subject.principal and subject.principal.kind == "ManagedIdentity"
    yield _KEPT_BY_AZURE if managed else _KEPT_BY_THE_APP
    held, application = subject.held, subject.application
    if held and application and order.certificate:
        yield (
            f"Set CLIENT_ID to {application.app_id}, and CLIENT_CERTIFICATE to the text of "
            f"{held.file.absolute()} (a reference to Key Vault keeps it out of the settings). "
            f"Keep the file secret; it expires on {held.ends_at:%Y-%m-%d}."
        )
    yield "manage.py doctor tells whether the app gets along with it."


def show_surplus(steps: Sequence[Step], output: Output) -> None:
    """What is there beyond the need, or is not ours to revoke, and who can take it away."""
    if _count(steps, State.LEFT):
        output.line(_LEFT, style="yellow")
    if _count(steps, State.SURPLUS):
        output.line(_SURPLUS, style="yellow")


def _complain(steps: Sequence[Step], state: State, output: Output) -> None:
    """Each reason once, on stderr."""
    told = (str(step.problem) for step in steps if step.state is state)
    for sentence in dict.fromkeys(told):
        output.complain(sentence)


def _count(steps: Sequence[Step], *states: State) -> int:
    return sum(step.state in states for step in steps)
