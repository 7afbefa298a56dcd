"""`status [USER]`: the overall status, or one user with both sides and the history."""

from __future__ import annotations

from datetime import timedelta

import click

from admin.console import audit, matched_users, person, versions
from admin.console.cli import Cli, command
from admin.console.sweep import show_end, show_fill
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.output import Output

_LONGEST_BODY = 120
_OLD = timedelta(seconds=30)


@command
@click.argument("user", required=False)
@click.option(
    "--ticket", is_flag=True, help="Print only a text about USER for a ticket, without codes."
)
def status(cli: Cli, user: str | None, ticket: bool) -> int:
    """
    Show the overall status, or one USER.

    For a user it says what people see, why, and what happens next; then it shows both sides, what
    differs, the stored state of the last run, and the history. The exit code is 1 if there is
    something to do: the lines under "To do" say what. For a user it is 1 if the sides differ or the
    last run failed, and 4 if the sides cannot be compared.
    """
    if user is None:
        if ticket:
            raise problems.Unusable("--ticket needs a USER: name one.")
        return _show_everything(cli)
    answer = cli.console.user(user)
    matched_users.say_which_user(user, person.account(answer), cli.output)
    cli.output.document(answer.raw)
    if ticket:
        person.show_ticket(answer, cli.output)
        return person.verdict(answer)
    person.show_card(answer, cli.output)
    person.show_sides(answer, cli.output)
    person.show_memory(answer, cli.output)
    return person.verdict(answer)


def _show_everything(cli: Cli) -> int:
    overview, output = cli.console.overview(), cli.output
    output.document(overview.raw)
    if told := versions.of(overview):
        output.line(told)
    _show_counts(overview, output)
    if overview.part("sweep"):
        show_end(overview.part("sweep"), output)
    show_fill(overview.part("fill"), output)
    if overview.part("audit"):
        audit.show_end(overview.part("audit"), output)
    output.table(
        ["user", "checked", "why"],
        [
            [one.text("userPrincipalName") or one.text("userId"), one.when("checkedAt"), _why(one)]
            for one in overview.parts("failures")
        ],
        "Recent failures",
    )
    _show_unreadable(overview, output)
    to_do = things_to_do(overview)
    _show_uninstall(overview.part("uninstall"), output)
    output.table([""], [[one] for one in to_do], "To do")
    if overview.flag("dryRun"):
        output.line(
            "DRY_RUN is on: nothing is written to SharePoint. To see whose picture would change: "
            "manage.py users --would-change",
            style="yellow",
        )
    if not to_do:
        output.line("Nothing to do.", style="green")
    return problems.WRONG if to_do else problems.FINE


def _show_uninstall(uninstall: Fields, output: Output) -> None:
    if uninstall and uninstall.text("status") != "cancelled":
        left = f", {uninstall.number('left')} users left" if uninstall.number("left") else ""
        told = f"{uninstall.text('status')}, ordered at {uninstall.when('startedAt')}{left}"
        output.table(["", ""], [["uninstall", told]])


def _show_counts(overview: Fields, output: Output) -> None:
    counts, queues = overview.part("counts"), overview.part("queues")
    rows = [[key or "unknown", counts.text(key)] for key in counts.raw]
    output.table(["", ""], rows, f"Users{_counted(overview)}")
    output.table(["", ""], [[key, queues.text(key)] for key in queues.raw], "Messages in queues")
    output.table(["", ""], [["subscription", _stored(overview)]])
    groups = overview.part("groups")
    output.table(["", ""], [[key, groups.text(key)] for key in groups.raw], "Groups in effect")


def _show_unreadable(overview: Fields, output: Output) -> None:
    shown = overview.parts("unreadable")
    total = overview.number("unreadableCount")
    output.table(
        ["at", "message", "why it was set aside"],
        [[one.when("at"), _cut(one.text("body")), one.text("reason")] for one in shown],
        "Unreadable messages" + (f", {len(shown)} of {total} shown" if total > len(shown) else ""),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_BODY else f"{text[:_LONGEST_BODY]} …"


def _stored(overview: Fields) -> str:
    """The stored state of the subscription; `doctor` asks Graph itself."""
    subscription = overview.part("subscription")
    if not subscription:
        return "none"
    status, expires = subscription.text("status"), subscription.when("expiresAt")
    until = f" until {expires}" if expires and status == "live" else ""
    told = f"expired at {expires}" if _ran_out(overview) else f"{status}{until}"
    checked = subscription.when("checkedAt")
    return f"{told}, as of {checked}" if checked else told


def _ran_out(overview: Fields) -> bool:
    expires, now = overview.part("subscription").moment("expiresAt"), overview.moment("asOf")
    return bool(expires and now and expires <= now)


def _counted(overview: Fields) -> str:
    """When users were counted, if a while ago: a large tenant is counted rarely."""
    now, counted = overview.moment("asOf"), overview.moment("countedAt")
    old = now and counted and now - counted > _OLD
    return f", counted {overview.when('countedAt')}" if old else ""


def _why(entry: Fields) -> str:
    return entry.text("detail") or entry.text("reason")


def things_to_do(overview: Fields) -> list[str]:
    """What an admin should do, one sentence each; none if all is well."""
    uninstall = overview.part("uninstall")
    if uninstall and uninstall.text("status") != "cancelled":
        return [_halted(uninstall)]
    queues, sweep, brake = (overview.part(name) for name in ("queues", "sweep", "brake"))
    parked = sum(queues.number(name) for name in queues.raw if name.endswith("-poison"))
    found = [
        *_subscription(overview),
        *([f"The last sweep failed: {_why(sweep)}"] if sweep.text("status") == "failed" else []),
        *([_braked(brake)] if brake.flag("engaged") else []),
        *_audit(overview),
        *([f"Messages in poison queues: {parked}; check the app's log."] if parked else []),
    ]
    failed = overview.part("counts").number("failed") - overview.number("dismissed")
    if failed > 0:
        found.append(f"Failed users: {failed}; manage.py failures says why.")
    return found


def _audit(overview: Fields) -> list[str]:
    found, differ = overview.part("audit"), overview.number("differ")
    held = overview.part("repairBrake")
    if held.flag("engaged") and not held.flag("released"):
        why = held.text("detail")
        return [
            f"Repairs are held back. {why} To see whose: manage.py users --differs. If they are "
            "right: manage.py check --release-repairs"
        ]
    if found.text("status") == "failed":
        return [f"The last audit failed: {_why(found)}"]
    if differ and not found.flag("repair"):
        return [f"SharePoint differs: {differ}; manage.py users --differs lists who and how."]
    return []


def _subscription(overview: Fields) -> list[str]:
    subscription = overview.part("subscription")
    if not subscription:
        return ["There is no subscription; only sweeps find changes. Run manage.py renew."]
    if subscription.text("status") != "live":
        why = subscription.text("detail")
        return [f"The subscription is not live: {why} After fixing that: manage.py renew"]
    if _ran_out(overview):
        return ["The subscription has expired: run manage.py renew, then manage.py doctor."]
    return []


def _halted(uninstall: Fields) -> str:
    """The only thing to do for an app that is meant to be stopped."""
    if uninstall.text("status") == "running":
        return "PhotoSync is being uninstalled: manage.py uninstall shows the progress."
    return (
        "PhotoSync is uninstalled and stopped: manage.py uninstall shows what is left, and "
        "manage.py uninstall --cancel starts it again."
    )


def _braked(brake: Fields) -> str:
    told = brake.text("detail") or (
        f"{brake.number('gone')} of {brake.number('managed')} photos are gone at once, and "
        f"{brake.number('left')} users who left would be forgotten."
    )
    lists = {"gone": "manage.py users --gone", "left": "manage.py users --status left"}
    who = " and ".join(lists[what] for what in lists if brake.number(what))
    named = f" To see who: {who}." if who else ""
    return (
        f"Removals are held back. {told}{named} If they are right: manage.py sweep "
        "--release-removals"
    )
