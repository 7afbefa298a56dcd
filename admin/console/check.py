"""`check USER`: do both sides agree? `check --all`: does SharePoint show what was written?"""

from __future__ import annotations

import click

from admin.console import audit, person
from admin.console.desk import Desk, command
from admin.terminal.options import waits
from admin.terminal.problems import Unusable

_DAY = 24 * 3600.0


@command
@click.argument("user", required=False)
@click.option(
    "--all", "everybody", is_flag=True, help="Look at what SharePoint shows of everybody."
)
@click.option("--repair", is_flag=True, help="With --all: repair what differs.")
@click.option("--csv", "as_csv", is_flag=True, help="With --all: who differs, as users --csv.")
@click.option(
    "--release-repairs", is_flag=True, help="Instead: release the repairs the brake holds back."
)
@waits(_DAY, "How long --all waits.")
def check(
    desk: Desk,
    user: str | None,
    everybody: bool,
    repair: bool,
    as_csv: bool,
    release_repairs: bool,
    timeout: float,
) -> int:
    """
    Compare both sides of USER now, or look at what SharePoint shows of everybody.

    Of one USER the exit code is 0 if both sides agree, or if PhotoSync leaves this user alone by
    design: out of scope, without mailbox or profile, gone from the tenant, or with a picture that
    a person chose; 1 if they do not or nobody is called that, also while DRY_RUN is on; and 4 if
    they cannot be compared now.

    With --all the app looks at every picture that PhotoSync wrote, as fast as the profile budget
    allows, and this command follows it; the same command goes on after it was stopped. The exit
    code is 1 if anything differs, with --repair if anything still does.
    """
    if [user is not None, everybody, release_repairs].count(True) != 1:
        raise Unusable("Give one of USER, --all and --release-repairs.")
    if (repair or as_csv) and not everybody:
        raise Unusable("--repair and --csv go with --all; manage.py replay repairs one user.")
    if as_csv and desk.output.as_json:
        raise Unusable("Give --csv or --json, not both.")
    if release_repairs:
        return audit.release(desk)
    if everybody:
        return audit.audit(desk, repair=repair, as_csv=as_csv, seconds=timeout)
    answer = desk.console.user(user or "")
    desk.output.document(answer.raw)
    person.show_sides(answer, desk.output)
    return person.comparison(answer)
