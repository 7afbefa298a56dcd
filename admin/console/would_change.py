"""`users --would-change --html`: fetches both pictures of each user and writes the report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from admin.console import report
from admin.console.before_after import MOST_PEOPLE, Change, PictureFetcher
from admin.console.cli import Cli
from admin.terminal import problems
from admin.terminal.fields import Fields


def write(cli: Cli, people: Sequence[Fields], file: Path, *, seconds: float, quiet: bool) -> int:
    """
    Write the report about *people* to *file*; returns the exit code. *quiet* leaves stdout alone.

    Raises Unreachable, or Unusable if the file cannot be written.
    """
    # Fail now rather than after an hour of fetching.
    _make(file)
    overview = cli.console.overview()
    ordered = sorted(people, key=_by_name)
    fetcher = PictureFetcher(cli.console, seconds=seconds, say=cli.output.error)
    bar = nullcontext(_no_report) if quiet else cli.output.progress("Fetching pictures")
    with bar as progress:
        changes = fetcher.changes(ordered, progress)
    page = report.page(changes, overview, host=cli.console.host, made_at=datetime.now(UTC))
    file.write_text(page, encoding="utf-8")
    say = cli.output.error if quiet else cli.output.line
    say(f"{file} shows what would change for {len(changes)} people, {_pictured(changes)}.")
    return max(_code(changes), unfinished(cli, overview))


def unfinished(cli: Cli, overview: Fields) -> int:
    """Say why the list is incomplete, if it is; returns the exit code."""
    if waiting := overview.part("queues").number("photo-sync"):
        cli.output.error(
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


def _no_report(done: int, of: int, sentence: str = "") -> None:
    """Ignores progress."""


def _by_name(person: Fields) -> tuple[str, str]:
    name = person.text("displayName") or person.text("userPrincipalName")
    return name.casefold(), person.text("userId")


def _pictured(changes: Sequence[Change]) -> str:
    if not changes:
        return "so it is empty"
    with_pictures = sum(each.before is not None for each in changes)
    unknown = sum(not each.is_known for each in changes)
    sentence = (
        "all with pictures" if with_pictures == len(changes) else f"{with_pictures} with pictures"
    )
    return f"{sentence}; {unknown} could not be fetched" if unknown else sentence


def _code(changes: Sequence[Change]) -> int:
    if not changes:
        return problems.WRONG
    if any(not each.is_known for each in changes):
        return problems.UNSOUND
    is_late = any(each.before is None for each in changes[:MOST_PEOPLE])
    return problems.LATE if is_late else problems.FINE
