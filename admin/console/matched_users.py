"""Shows whom an order affects: the first of many people, and who a name matched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from admin.terminal.fields import Fields
from admin.terminal.output import Output

FIRST = 20


def show_first(
    people: Iterable[Fields],
    number: int,
    output: Output,
    *,
    also: Sequence[tuple[str, str]] = (),
    more: str = "",
) -> None:
    """
    The first of *people*, of whom there are *number*; the rest is not read.

    *also* adds columns, each a title and its field; *more* says how to see the rest.
    """
    first = list(islice(people, FIRST))
    output.table(
        ["user", "name", *(title for title, _ in also)],
        [[_called(one), one.text("displayName"), *_row(one, also)] for one in first],
    )
    # If the list is shorter, the number was out of date.
    if len(first) == FIRST and number > FIRST:
        output.line(f"and {number - FIRST} more{more}")


def say_which_user(typed: str, taken: Fields, output: Output) -> None:
    """Say which user *typed* matched, unless it is their UPN or object id."""
    upn, name = taken.text("userPrincipalName"), taken.text("displayName")
    exact = {upn, taken.text("id"), taken.text("userId")}
    if upn and typed.strip().casefold() not in {each.casefold() for each in exact}:
        output.error(f"{typed} is {name} ({upn})." if name else f"{typed} is {upn}.")


def _called(one: Fields) -> str:
    return one.text("userPrincipalName") or one.text("userId")


def _row(one: Fields, also: Sequence[tuple[str, str]]) -> list[str]:
    return [one.when(field) if field.endswith("Since") else one.text(field) for _, field in also]
