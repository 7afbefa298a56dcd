"""`replay USER…`: have users looked at again, go on after one that cannot be, and say so."""

from __future__ import annotations

from typing import BinaryIO

import click

from admin.console import user_list, whom
from admin.console.desk import Desk, command
from admin.console.replay_end import await_all, seen_before
from admin.console.replay_result import Replayed, show
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.problems import Problem, Unreachable
from admin.terminal.question import agreed


@command
@click.argument("users", nargs=-1, metavar="[USER]...")
@click.option("--force", is_flag=True, help="Rewrite the pictures even if nothing changed.")
@click.option(
    "--replace",
    is_flag=True,
    help="Show the photo in place of a picture that a person chose, this once.",
)
@click.option("--yes", is_flag=True, help="With --replace: do not ask.")
@click.option("--failed", is_flag=True, help="Everybody whose last run failed, too.")
@click.option(
    "--from-file",
    type=click.File("rb"),
    metavar="FILE",
    help="One user a line; blank lines and # comments are left out; - is stdin.",
)
@click.option("--wait", is_flag=True, help="Follow each to its end, and compare both sides then.")
@waits(300, "How long --wait waits.")
def replay(
    desk: Desk,
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
    Look at each USER again, as soon as the queue gets there.

    One user who cannot be queued does not keep the others from it. The exit code is 1 if there
    was any, or, with --wait, if anybody's run failed or both sides still differ and no reason was
    found to leave it so; it is 4 if they cannot be compared, 5 if a run did not end in time, and 2
    if FILE alone is given and empty.

    --replace takes away what people have chosen: it names them and asks; the exit code is 1 if the
    answer is no.
    """
    if replace and failed:
        raise problems.Unusable("Give --replace with the users that it is meant for, not --failed.")
    if not users and not failed and from_file is None:
        raise problems.Unusable("Name the users to replay, or give --failed or --from-file.")
    results = _wanted(desk, users, from_file, failed=failed)
    if replace and not _may_replace(desk, results, yes=yes):
        desk.output.line("Nothing was changed.")
        return problems.WRONG
    _queue(desk, results, force=force, replace=replace, wait=wait)
    if wait:
        await_all(desk, results, seconds=timeout)
    for each in results:
        whom.say_taken(each.user, each.taken, desk.output)
    show(results, desk.output)
    return max((each.exit_code for each in results), default=problems.FINE)


def _wanted(
    desk: Desk, users: tuple[str, ...], from_file: BinaryIO | None, *, failed: bool
) -> list[Replayed]:
    """Each who is named, and with *failed* everybody whose last run failed. Raises Unusable."""
    named = [*users, *(user_list.read(from_file) if from_file else [])]
    results = [Replayed(user) for user in user_list.distinct(named)]
    if failed:
        results += _failed(desk, known={each.user.casefold() for each in results})
    elif not results:
        raise problems.Unusable("The file names nobody to replay: write one user a line.")
    return results


def _failed(desk: Desk, known: set[str]) -> list[Replayed]:
    """Everybody whose last run failed, by object id: the name may be another one's by now."""
    found = [
        Replayed(one.text("userPrincipalName") or one.text("userId"), user_id=one.text("userId"))
        for one in desk.console.users(status="failed")
    ]
    return [each for each in found if each.user.casefold() not in known]


def _may_replace(desk: Desk, results: list[Replayed], *, yes: bool) -> bool:
    people = (_identified(desk, each) for each in results)
    whose = f"one of these {len(results)} people" if len(results) > 1 else "this person"
    desk.output.line(f"A picture that {whose} chose goes, and does not come back:")
    whom.show_first(people, len(results), desk.output)
    return agreed("Show their photos instead?", desk.output, yes=yes)


def _identified(desk: Desk, each: Replayed) -> Fields:
    """Who *each* is, as far as that is known now; whoever is agreed to is replayed."""
    try:
        state = desk.console.state(each.called).part("state")
    except Unreachable:
        raise
    except Problem:
        # The order will tell.
        state = Fields({})
    each.user_id = state.text("userId")
    return state or Fields({"userPrincipalName": each.user})


def _queue(desk: Desk, results: list[Replayed], *, force: bool, replace: bool, wait: bool) -> None:
    with desk.output.progress("Queueing") as report:
        for number, each in enumerate(results):
            report(number, len(results))
            try:
                each.before = seen_before(desk.console, each.called) if wait else ""
                order = desk.console.replay(each.called, force=force, replace=replace)
                each.user_id, each.run = order.text("userId"), order.text("correlationId")
                each.taken, each.queued = order, True
            except Unreachable as problem:
                # It would be the same with everybody else.
                for rest in results[number:]:
                    rest.problem = problem
                return
            except Problem as problem:
                each.problem = problem
