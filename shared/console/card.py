"""
A person's card: what people see now, why, and what happens next and when, in plain words.

The page and the terminal show what is decided here, so that both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shared.console import card_words
from shared.console.card_words import LEAVERS, LOOK, NONE, REMOVALS, REPAIR, SEEN, Words
from shared.console.comparison import FOREIGN, LAST, NEITHER, SAME, UNASKED
from shared.errors import OutOfScope, PictureKept
from shared.storage import user_state
from shared.storage.user_state import NO_PHOTO, SECOND_LOOK_AFTER, SYNCED, UserState
from shared.user import User

# A message that is overdue by this much is lost, and a sweep sends another.
_OVERDUE = timedelta(hours=1)


class Rules(NamedTuple):
    """
    How the settings decide what happens next: `removes` removes a picture when its photo is gone,
    `repairs` says that scheduled audits run and repair, `replaces` that chosen pictures are
    replaced.
    """

    dry_run: bool
    removes: bool
    forget_after: timedelta | None
    repairs: bool
    audit_days: int
    replaces: bool


class Brakes(NamedTuple):
    """What is held back for everyone, and whether PhotoSync is `halted`."""

    removals: bool = False
    forgetting: bool = False
    repairs: bool = False
    halted: bool = False


@dataclass(frozen=True)
class Card:
    """`by_design`: PhotoSync leaves this person alone, and nothing needs to be done."""

    seen: str
    words: Words

    @property
    def sentence(self) -> str:
        return " ".join(part for part in (self.seen, self.words.why, self.words.next) if part)

    def fields(self, user: User, *, now: datetime, version: str) -> dict[str, object]:
        """The fields of the console's API, with the text for a ticket."""
        return {
            "sentence": self.sentence,
            "seen": self.seen,
            "why": self.words.why,
            "next": self.words.next,
            "action": self.words.action.order,
            "label": self.words.action.label,
            "byDesign": self.words.by_design,
            "ticket": self._ticket(user, now, version),
        }

    def _ticket(self, user: User, now: datetime, version: str) -> str:
        # People choose their names: no line of the ticket may begin with one.
        name, upn = (
            " ".join(each.split()) for each in (user.display_name, user.user_principal_name)
        )
        who = f"{name} ({upn})" if name and upn else name or upn or "a person without a name"
        lines = [
            f"Profile picture of {who}",
            f"Now: {self.seen}",
            f"Why: {self.words.why}",
            f"Next: {self.words.next}",
            f"Checked: {at(now)}",
            f"PhotoSync {version}",
        ]
        return "\n".join(lines)


def at(moment: datetime) -> str:
    """A moment in words: 4 May 2026, 12:00 UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def card(
    user: User,
    known: UserState | None,
    finding: str,
    *,
    rules: Rules,
    brakes: Brakes,
    now: datetime,
) -> Card:
    """The card of *user*, with the stored state *known* and the comparison's result *finding*."""
    words = _words(user, known, finding, rules, brakes, now)
    if words.by_design or finding == SAME:
        return Card(SEEN[finding], words)
    if brakes.halted:
        still = "PhotoSync is stopped, because it is being uninstalled or was uninstalled."
        words = words._replace(next=still, action=NONE)
    elif known and known.claimed_for:
        words = words._replace(
            next="PhotoSync is processing this person right now. Check again soon.", action=NONE
        )
    elif rules.dry_run:
        dry = "This is a dry run: PhotoSync writes nothing until the dry run is switched off."
        words = words._replace(next=dry, action=NONE)
    return Card(SEEN[finding], words)


def _words(
    user: User,
    known: UserState | None,
    finding: str,
    rules: Rules,
    brakes: Brakes,
    now: datetime,
) -> Words:
    if known is None:
        return card_words.PHOTOLESS if finding in {NEITHER, FOREIGN} else card_words.UNKNOWN
    if known.status == SYNCED:
        return _of_synced(known, finding, rules, brakes)
    words = card_words.of_run(known.status, known.reason)
    if finding not in words.holds and finding != UNASKED:
        return _outdated(known, finding)
    match known.status:
        case user_state.WAITING:
            return words._replace(next=_next_try(known, now))
        case user_state.LEFT:
            return _of_leaver(words, known, rules, brakes, now)
        case user_state.NO_PHOTO if finding == LAST:
            gone = words._replace(why="The photo was removed from Exchange.")
            return _of_removal(gone, known, rules, brakes)
        case user_state.SKIPPED:
            return _of_skipped(words, known, rules, user)
    return words


def _of_skipped(words: Words, known: UserState, rules: Rules, user: User) -> Words:
    if known.reason == OutOfScope.code:
        return words._replace(why=_why_out_of_scope(user, words.why))
    return _replaced(words) if known.reason == PictureKept.code and rules.replaces else words


def _of_synced(known: UserState, finding: str, rules: Rules, brakes: Brakes) -> Words:
    words = card_words.SYNCED_ROWS[finding]
    if finding == LAST:
        return _of_removal(words, known, rules, brakes)
    if words.action == REPAIR:
        return words._replace(next=_next_repair(known, rules, brakes))
    if words.by_design and rules.replaces:
        return _replaced(words)
    return words


def _outdated(known: UserState, finding: str) -> Words:
    checked = f" on {at(known.checked_at)}" if known.checked_at else ""
    why = f"Something has changed since PhotoSync last checked{checked}."
    return Words(why, "The next sweep checks again.", NONE if finding == SAME else LOOK)


def _replaced(words: Words) -> Words:
    return words._replace(
        why="A person chose it, and PhotoSync is set to replace pictures that people choose.",
        next="PhotoSync replaces it at its next daily check, or now if somebody orders it.",
        action=REPAIR,
        by_design=False,
    )


def _next_try(known: UserState, now: datetime) -> str:
    again = known.next_attempt_at
    if again is None or now - again > _OVERDUE:
        return "The next sweep tries again."
    if again <= now:
        return "PhotoSync is about to try again."
    return f"PhotoSync tries again automatically on {at(again)}."


def _next_repair(known: UserState, rules: Rules, brakes: Brakes) -> str:
    if known.damage and brakes.repairs:
        return (
            "So many pictures differ at once that PhotoSync holds back all repairs until an "
            "administrator releases them. This one person can be repaired now."
        )
    if not rules.repairs:
        return (
            "Automatic repairs are off: the picture stays as it is until somebody orders a repair."
        )
    days = "a day" if rules.audit_days == 1 else f"{rules.audit_days} days"
    if known.damage:
        return (
            "An audit found this. PhotoSync repairs it automatically within minutes, or else at "
            f"its next check of SharePoint, within {days}."
        )
    return f"PhotoSync repairs it automatically at its next check of SharePoint, within {days}."


def _of_removal(words: Words, known: UserState, rules: Rules, brakes: Brakes) -> Words:
    if not rules.removes:
        kept = "No action is needed: PhotoSync is set to keep the last picture."
        return words._replace(next=kept, by_design=known.status == NO_PHOTO)
    if known.missing_since is None:
        return words._replace(
            next="The next sweep records this. A later sweep removes the picture if the photo is "
            "still missing then."
        )
    if brakes.removals:
        held = (
            "So many photos are missing at once that PhotoSync removes no pictures until an "
            "administrator releases the removals."
        )
        return words._replace(next=held, action=REMOVALS)
    due = at(known.missing_since + SECOND_LOOK_AFTER)
    return words._replace(
        next=f"A sweep removes the picture after {due}, if the photo is still missing then."
    )


def _of_leaver(
    words: Words, known: UserState, rules: Rules, brakes: Brakes, now: datetime
) -> Words:
    since = known.left_since
    if since is None or rules.forget_after is None:
        return words._replace(by_design=True)
    due = since + rules.forget_after
    if due > now:
        return words._replace(
            next=f"After {at(due)} PhotoSync removes what it wrote for this person, unless the "
            "account is restored by then. No action is needed.",
            by_design=True,
        )
    if brakes.forgetting:
        return words._replace(
            next="So many people have left at once that PhotoSync keeps all their pictures until "
            "an administrator releases the removals.",
            action=LEAVERS,
        )
    return words._replace(
        next="The next sweep removes what PhotoSync wrote, if the account is still deleted.",
        by_design=True,
    )


def _why_out_of_scope(user: User, otherwise: str) -> str:
    if user.is_guest:
        return "This person is a guest, and PhotoSync is set to skip guests."
    if not user.account_enabled:
        return "This person's account is disabled, and PhotoSync skips disabled accounts."
    return otherwise
