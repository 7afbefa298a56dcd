"""`check USER` compares both sides; `check --all` checks SharePoint against what was written."""

from __future__ import annotations

import click

from admin.console import audit, matched_users, person, release
from admin.console.cli import Cli, command
from admin.terminal.options import waits
from admin.terminal.problems import Unusable

_DAY = 24 * 3600


@command
@click.argument("user", required=False)
@click.option("--all", "everybody", is_flag=True, help="Check every user's picture in SharePoint.")
@click.option("--repair", is_flag=True, help="With --all: repair the pictures that differ.")
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="With --all: print who differs as CSV, as users --csv does.",
)
@click.option(
    "--release-repairs", is_flag=True, help="Release the repairs that the brake holds back."
)
@click.option("--yes", is_flag=True, help="Release without asking.")
@waits(_DAY, "How long --all waits for the end.")
def check(
    cli: Cli,
    user: str | None,
    everybody: bool,
    repair: bool,
    as_csv: bool,
    release_repairs: bool,
    yes: bool,
    timeout: float,
) -> int:
    """
    Compare both sides of USER now, or check every picture in SharePoint.

    For one USER the exit code is 0 if both sides agree, or if PhotoSync leaves the user alone by
    design: out of scope, no mailbox, no profile, no longer in the tenant, or a picture that a
    person chose. It is 1 if the sides differ (even while DRY_RUN is on) or if nobody matches
    USER, and 4 if the sides cannot be compared now.

    With --all the app checks every picture that PhotoSync wrote, as fast as the profile budget
    allows. The command waits for the end; if you stop it, repeat it to continue. The exit code is
    1 if anything differs; with --repair, if anything still differs.

    --release-repairs says how many pictures will be rewritten, and whose, and asks. The exit code
    is 1 if the answer is no.
    """
    if [user is not None, everybody, release_repairs].count(True) != 1:
        raise Unusable("Give one of USER, --all and --release-repairs.")
    if (repair or as_csv) and not everybody:
        raise Unusable("--repair and --csv need --all; to repair one user: manage.py replay USER.")
    if as_csv and cli.output.as_json:
        raise Unusable("Give --csv or --json, not both.")
    if release_repairs:
        return release.repairs(cli, yes=yes)
    if everybody:
        return audit.audit(cli, repair=repair, as_csv=as_csv, seconds=timeout)
    answer = cli.console.user(user or "")
    matched_users.say_which_user(user or "", person.account(answer), cli.output)
    cli.output.document(answer.raw)
    person.show_sides(answer, cli.output)
    return person.comparison(answer)
