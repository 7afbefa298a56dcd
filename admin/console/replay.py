"""`replay USER…`: processes users again; one that cannot be queued does not stop the others."""

from __future__ import annotations

from typing import BinaryIO

import click

from admin.console import matched_users, user_list
from admin.console.cli import Cli, command
from admin.console.replay_end import await_all, seen_before
from admin.console.replay_result import Replayed, show
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.problems import Problem, Unreachable
from admin.terminal.question import agreed


@command
@click.argument("users", nargs=-1, metavar="[USER]...")
@click.option("--force", is_flag=True, help="Rewrite the pictures even if nothing has changed.")
@click.option(
    "--replace",
    is_flag=True,
    help="Replace a picture that a person chose with the photo, this once.",
)
@click.option("--yes", is_flag=True, help="With --replace: replace without asking.")
@click.option("--failed", is_flag=True, help="Also everybody whose last run failed.")
@click.option(
    "--from-file",
    type=click.File("rb"),
    metavar="FILE",
    help="Read users from FILE, one a line; # starts a comment; - is stdin.",
)
@click.option(
    "--wait", is_flag=True, help="Wait until each run has ended, then compare both sides."
)
@waits(300, "How long --wait waits for the end.")
def replay(
    cli: Cli,
    users: tuple[str, ...],
    force: bool,
    replace: bool,
    yes: bool,
    failed: bool,
    from_file: BinaryIO | None,
    wait: bool,
    timeout: float,
) -> int:
    """
    Queue each USER to be processed again.

    If one user cannot be queued, the others still are. The exit code is 1 if any user could not
    be queued or, with --wait, if a run failed or both sides still differ without a known reason;
    4 if they cannot be compared; 5 if a run did not end in time; and 2 if only FILE is given and
    it is empty.

    --replace overwrites pictures that people chose themselves: it lists the users and asks. The
    exit code is 1 if the answer is no.
    """
    if replace and failed:
        raise problems.Unusable("--replace does not go with --failed: name the users instead.")
    if not users and not failed and from_file is None:
        raise problems.Unusable("Name the users to replay, or give --failed or --from-file.")
    results = _wanted(cli, users, from_file, failed=failed)
    if replace and not _may_replace(cli, results, yes=yes):
        cli.output.line("Nothing was changed.")
        return problems.WRONG
    _queue(cli, results, force=force, replace=replace, wait=wait)
    if wait:
        await_all(cli, results, seconds=timeout)
    for each in results:
        matched_users.say_which_user(each.user, each.taken, cli.output)
    show(results, cli.output)
    return max((each.exit_code for each in results), default=problems.FINE)


def _wanted(
    cli: Cli, users: tuple[str, ...], from_file: BinaryIO | None, *, failed: bool
) -> list[Replayed]:
    """The named users, and with *failed* all whose last run failed. Raises Unusable."""
    named = [*users, *(user_list.read(from_file) if from_file else [])]
    results = [Replayed(user) for user in user_list.distinct(named)]
    if failed:
        results += _failed(cli, known={each.user.casefold() for each in results})
    elif not results:
        raise problems.Unusable("The file contains no users: write one user a line.")
    return results


def _failed(cli: Cli, known: set[str]) -> list[Replayed]:
    """Everybody whose last run failed, by object id: UPNs can be reassigned."""
    found = [
        Replayed(one.text("userPrincipalName") or one.text("userId"), user_id=one.text("userId"))
        for one in cli.console.users(status="failed")
    ]
    return [each for each in found if each.user.casefold() not in known]


def _may_replace(cli: Cli, results: list[Replayed], *, yes: bool) -> bool:
    people = (_identified(cli, each) for each in results)
    whose = f"any of these {len(results)} people" if len(results) > 1 else "this person"
    cli.output.line(f"A picture that {whose} chose will be replaced and cannot be restored:")
    matched_users.show_first(people, len(results), cli.output)
    return agreed("Show their photos instead?", cli.output, yes=yes)


def _identified(cli: Cli, each: Replayed) -> Fields:
    """Who *each* is, if known; remembers the id, so that exactly this user is replayed."""
    try:
        state = cli.console.state(each.called).part("state")
    except Unreachable:
        raise
    except Problem:
        # The replay itself reports the problem.
        state = Fields({})
    each.user_id = state.text("userId")
    return state or Fields({"userPrincipalName": each.user})


def _queue(cli: Cli, results: list[Replayed], *, force: bool, replace: bool, wait: bool) -> None:
    with cli.output.progress("Queueing") as report:
        for number, each in enumerate(results):
            report(number, len(results))
            try:
                each.before = seen_before(cli.console, each.called) if wait else ""
                order = cli.console.replay(each.called, force=force, replace=replace)
                each.user_id, each.run = order.text("userId"), order.text("correlationId")
                each.taken, each.queued = order, True
            except Unreachable as problem:
                # All others would fail the same way.
                for rest in results[number:]:
                    rest.problem = problem
                return
            except Problem as problem:
                each.problem = problem
