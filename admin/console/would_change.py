"""`users --would-change --html`: fetches both pictures of each user and writes the report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from admin.console import report
from admin.console.before_after import MOST_PEOPLE, Change, Photographer
from admin.console.desk import Desk
from admin.terminal import problems
from admin.terminal.fields import Fields


def write(desk: Desk, people: Sequence[Fields], file: Path, *, seconds: float, quiet: bool) -> int:
    """
    Write the report about *people* to *file*; returns the exit code. *quiet* leaves stdout alone.

    Raises Unreachable, or Unusable if the file cannot be written.
    """
    # Fail now rather than after an hour of fetching.
    _make(file)
    overview = desk.console.overview()
    ordered = sorted(people, key=_by_name)
    photographer = Photographer(desk.console, seconds=seconds, say=desk.output.complain)
    bar = nullcontext(_unseen) if quiet else desk.output.progress("Looking at pictures")
    with bar as told:
        changes = photographer.changes(ordered, told)
    page = report.page(changes, overview, host=desk.console.host, made_at=datetime.now(UTC))
    file.write_text(page, encoding="utf-8")
    say = desk.output.complain if quiet else desk.output.line
    say(f"{file} shows what would change for {len(changes)} people, {_pictured(changes)}.")
    return max(_code(changes), unfinished(desk, overview))


def unfinished(desk: Desk, overview: Fields) -> int:
    """Say why the list is incomplete, if it is; returns the exit code."""
    if waiting := overview.part("queues").number("photo-sync"):
        desk.output.complain(
            f"The list is incomplete: {waiting} messages are still queued. Repeat the command when "
            "manage.py status shows none."
        )
        return problems.LATE
    return problems.FINE


def _make(file: Path) -> None:
    """Create the file, readable only by its owner: it will hold photos. Raises Unusable."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise problems.Unusable(
            f"{file} cannot be written ({why}): give --html another file."
        ) from error


def _unseen(done: int, of: int, told: str = "") -> None:
    """Ignores progress."""


def _by_name(person: Fields) -> tuple[str, str]:
    name = person.text("displayName") or person.text("userPrincipalName")
    return name.casefold(), person.text("userId")


def _pictured(changes: Sequence[Change]) -> str:
    if not changes:
        return "so it is empty"
    with_pictures = sum(each.before is not None for each in changes)
    unknown = sum(not each.is_known for each in changes)
    told = (
        "all with pictures" if with_pictures == len(changes) else f"{with_pictures} with pictures"
    )
    return f"{told}; {unknown} could not be fetched" if unknown else told


def _code(changes: Sequence[Change]) -> int:
    if not changes:
        return problems.WRONG
    if any(not each.is_known for each in changes):
        return problems.UNSOUND
    is_late = any(each.before is None for each in changes[:MOST_PEOPLE])
    return problems.LATE if is_late else problems.FINE
