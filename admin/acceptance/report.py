"""What is told at the end: a table for the person, and a document that names nobody."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from admin.acceptance.finding import Verdict
from admin.acceptance.step import Result
from admin.terminal import problems
from admin.terminal.output import Output
from admin.terminal.problems import Unusable
from shared import version


class Draft:
    """The file of the document, opened first: nothing is to be asked in vain."""

    def __init__(self, file: Path) -> None:
        """Raises Unusable if *file* cannot be written."""
        self._file = file
        self._draft = file.parent / f"{file.name}.new"
        try:
            if file.is_dir():
                raise IsADirectoryError(0, "it is a folder")
            self._draft.touch()
        except OSError as error:
            raise Unusable(
                f"{file} cannot be written ({error.strerror}): give another file with --output."
            ) from error

    def finish(self, document: dict[str, Any]) -> None:
        """Put *document* in the place of any before. Raises Unusable."""
        try:
            self._draft.write_text(
                json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8"
            )
            self._draft.replace(self._file)
        except OSError as error:
            raise Unusable(f"{self._file} could not be written: {error.strerror}.") from error

    def forget(self) -> None:
        """Nothing came of it."""
        self._draft.unlink(missing_ok=True)


def document(
    results: Sequence[Result],
    scrub: Callable[[str], str],
    scrub_sentence: Callable[[str], str],
    *,
    way: str,
    left: int,
    complete: bool,
) -> dict[str, Any]:
    """
    All results, those that are an error's sentence by *scrub_sentence*; *left* is how many things
    could not be put back, *way* how it was asked.
    """
    return {
        "photosync": version.VERSION,
        "way": way,
        "complete": complete,
        "notPutBack": left,
        "steps": [
            {
                "id": each.step.id,
                "question": each.step.question,
                "assumed": each.step.assumed,
                "seen": (scrub_sentence if each.verdict is Verdict.NOT_ASKED else scrub)(each.text),
                "verdict": each.verdict.value,
                "seconds": round(each.seconds, 2),
            }
            for each in results
        ],
    }


def show(document: dict[str, Any], output: Output) -> None:
    """The table, how often which verdict came, and what those take that could not be asked."""
    output.table(
        ["step", "assumed", "seen", "seconds", "verdict"],
        [
            [each["id"], each["assumed"], each["seen"], f"{each['seconds']:.1f}", each["verdict"]]
            for each in document["steps"]
        ],
    )
    count = Counter(each["verdict"] for each in document["steps"])
    output.line(
        f"{count[Verdict.AS_ASSUMED.value]} as assumed, {count[Verdict.DIFFERS.value]} different."
    )
    reasons: dict[str, list[str]] = {}
    for each in document["steps"]:
        if each["verdict"] == Verdict.NOT_ASKED.value:
            reasons.setdefault(each["seen"], []).append(each["id"])
    for why, ids in reasons.items():
        output.line(f"Not asked ({len(ids)}): {', '.join(ids)}. {why[:1].upper()}{why[1:]}.")


def code(results: Sequence[Result], orders: Sequence[str], *, declined: bool, kept: bool) -> int:
    """
    UNSOUND where something could not be put back, USAGE where the file could not be written, WRONG
    where anything differs, or a no.
    """
    if orders:
        return problems.UNSOUND
    if not kept:
        return problems.USAGE
    differs = any(each.verdict is Verdict.DIFFERS for each in results)
    return problems.WRONG if differs or declined else problems.FINE
