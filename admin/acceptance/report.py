"""The results: a table for the person, and a document without names."""

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
    """The result file, opened first, so that no run is wasted."""

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
        """Write *document*, replacing an earlier one. Raises Unusable."""
        try:
            self._draft.write_text(
                json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8"
            )
            self._draft.replace(self._file)
        except OSError as error:
            raise Unusable(f"{self._file} could not be written: {error.strerror}.") from error

    def forget(self) -> None:
        """Delete the draft of an unfinished run."""
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
    All results, with error sentences cleaned by *scrub_sentence*; *left* is the number of things
    not restored, and *way* how the tenant was tested.
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
    """The table, the number of each verdict, and what the steps not run would need."""
    output.table(
        ["step", "assumed", "seen", "seconds", "verdict"],
        [
            [each["id"], each["assumed"], each["seen"], f"{each['seconds']:.1f}", each["verdict"]]
            for each in document["steps"]
        ],
    )
    count = Counter(each["verdict"] for each in document["steps"])
    output.line(
        f"{count[Verdict.AS_ASSUMED.value]} as assumed, {count[Verdict.DIFFERS.value]} differ."
    )
    reasons: dict[str, list[str]] = {}
    for each in document["steps"]:
        if each["verdict"] == Verdict.NOT_ASKED.value:
            reasons.setdefault(each["seen"], []).append(each["id"])
    for why, ids in reasons.items():
        output.line(f"Not asked ({len(ids)}): {', '.join(ids)}. {why[:1].upper()}{why[1:]}.")


def code(results: Sequence[Result], orders: Sequence[str], *, declined: bool, kept: bool) -> int:
    """
    UNSOUND if something could not be restored, USAGE if the file could not be written, WRONG if
    anything differs or the answer was no.
    """
    if orders:
        return problems.UNSOUND
    if not kept:
        return problems.USAGE
    differs = any(each.verdict is Verdict.DIFFERS for each in results)
    return problems.WRONG if differs or declined else problems.FINE
