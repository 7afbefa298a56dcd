"""`history`: who ordered what, when, for whom, and how it ended."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from admin.console import matched_users
from admin.console.cli import Cli, command
from admin.terminal import csv_text, problems
from admin.terminal.fields import Fields

# Programs rely on names and order: add new columns at the end.
COLUMNS = (
    *("at", "order", "via", "byName", "byId", "userPrincipalName", "userId", "options"),
    *("result", "endedAt", "detail", "correlationId"),
)
_DAYS = re.compile(r"(\d{1,4})d")


@command
@click.argument("user", required=False)
@click.option(
    "--since", metavar="DAYS|DATE", help="Only orders since then: 7d, or 2026-01-31 (UTC)."
)
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header line."
)
def history(cli: Cli, user: str | None, since: str | None, as_csv: bool) -> int:
    """
    List all orders, or those about USER, newest first.

    "who" is the person who signed in, "key" if a function key was used, or "queue" if a message
    was typed into a queue. An order without a result has not ended, or its result could not be
    stored. The CSV columns are at, order, via, byName, byId, userPrincipalName, userId, options,
    result, endedAt, detail and correlationId; an apostrophe is put before a value that a
    spreadsheet would run as a formula.
    """
    if as_csv and cli.output.as_json:
        raise problems.Unusable("Give --csv or --json, not both.")
    began = _began(since, datetime.now(UTC)) if since else ""
    taken, found, damaged = cli.console.history(user=user or "", since=began)
    matched_users.say_which_user(user or "", taken, cli.output)
    if damaged:
        cli.output.error("Some lines of the log cannot be read and are left out.")
    cli.output.document([dict(one.raw) for one in found])
    if as_csv:
        cli.output.verbatim(csv_text.table(COLUMNS, [_flat(one) for one in found]))
        return problems.FINE
    cli.output.table(
        ["at", "who", "order", "on", "result", "detail"],
        [
            [
                one.when("at"),
                who(one),
                " ".join(filter(None, (one.text("order"), one.text("options")))),
                one.text("userPrincipalName") or one.text("userId"),
                one.text("result"),
                one.text("detail"),
            ]
            for one in found
        ],
    )
    cli.output.line(f"{len(found)} listed." if found else "No orders.")
    return problems.FINE


def who(order: Fields) -> str:
    """Who gave the order: a name, or how it came."""
    by = order.part("by")
    return by.text("name") or by.text("via")


def _flat(order: Fields) -> Fields:
    by = order.part("by").raw
    names = {"via": by.get("via"), "byName": by.get("name"), "byId": by.get("id")}
    return Fields({**order.raw, **names})


def _began(since: str, now: datetime) -> str:
    """The time of --since in the app's format. Raises Unusable."""
    try:
        if days := _DAYS.fullmatch(since):
            return (now - timedelta(days=int(days[1]))).isoformat()
        moment = datetime.fromisoformat(since)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).isoformat()
    except (ValueError, OverflowError) as error:
        raise problems.Unusable(
            "--since takes a number of days such as 7d, or a date such as 2026-01-31."
        ) from error
