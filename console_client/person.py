"""One user as people read it: both sides, what differs, what PhotoSync remembers, what happened."""

from __future__ import annotations

from console_client import problems
from console_client.fields import Fields
from console_client.output import Output

_STATE = (
    ("reason", "reason"),
    ("detail", "detail"),
    ("checked", "checkedAt"),
    ("synced", "syncedAt"),
    ("next attempt", "nextAttemptAt"),
    ("picture", "pictureUrl"),
)
_PROFILE = (
    "PictureURL",
    "SPS-PicturePlaceholderState",
    "SPS-PictureExchangeSyncState",
    "SPS-PictureTimestamp",
)
_VERDICTS = {
    problems.FINE: "Both sides agree.",
    problems.WRONG: "The sides differ.",
    problems.UNSOUND: "Whether both sides agree cannot be told now.",
}
_STYLES = {problems.FINE: "green", problems.WRONG: "bold red", problems.UNSOUND: "yellow"}


def name(answer: Fields) -> str:
    """How to call the user of an answer."""
    user, state = answer.part("user"), answer.part("state")
    return user.text("userPrincipalName") or state.text("userPrincipalName") or state.text("userId")


def comparison(answer: Fields) -> int:
    """FINE if both sides agree, UNSOUND if nobody could tell."""
    if answer.raw.get("agree") is None:
        return problems.UNSOUND
    return problems.FINE if answer.flag("agree") else problems.WRONG


def verdict(answer: Fields) -> int:
    """FINE if both sides agree and the last run did not fail."""
    failed = answer.part("state").text("status") == "failed"
    return problems.WRONG if failed else comparison(answer)


def show_sides(answer: Fields, output: Output) -> None:
    """Whether both sides agree, and what each says."""
    compared = comparison(answer)
    told = answer.text("difference") or _VERDICTS[compared]
    output.line(f"{name(answer)}: {told}", style=_STYLES[compared])
    user, profile = answer.part("user"), answer.part("profile")
    rows = [["Exchange", "user", _account(user)]]
    rows += [["SharePoint", key, profile.text(key)] for key in _PROFILE if profile]
    if not profile:
        told = "could not be read" if compared == problems.UNSOUND else "none"
        rows.append(["SharePoint", "profile", told])
    output.table(["side", "what", "value"], rows)


def show_memory(answer: Fields, output: Output) -> None:
    """What the last run left behind, and what happened before."""
    state = answer.part("state")
    rows = [["status", state.text("status") or "never looked at"]]
    rows += [[label, _told(state, key)] for label, key in _STATE if state.text(key)]
    error = state.part("lastError")
    if error:
        rows.append(["last error", f"{error.when('at')} {error.text('message')}"])
    output.table(["", ""], rows, "What PhotoSync remembers")
    output.table(
        ["at", "event", "detail"],
        [
            [one.when("at"), one.text("event"), one.text("detail")]
            for one in answer.parts("history")
        ],
        "History",
    )


def _told(state: Fields, key: str) -> str:
    return state.when(key) if key.endswith("At") else state.text(key)


def _account(user: Fields) -> str:
    if not user:
        return "not in the tenant"
    notes = [user.text("displayName"), user.text("userPrincipalName"), user.text("id")]
    # Null while nobody can be asked.
    notes += ["disabled"] if user.raw.get("accountEnabled") is False else []
    notes += ["guest"] if user.flag("guest") else []
    return ", ".join(note for note in notes if note)
