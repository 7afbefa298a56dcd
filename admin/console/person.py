"""Shows one user: both sides, what differs, what PhotoSync has stored, and the history."""

from __future__ import annotations

from math import ceil

from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.output import Output
from admin.terminal.shell import Shell

_STATE = (
    ("reason", "reason"),
    ("detail", "detail"),
    ("found by an audit", "damage"),
    ("checked", "checkedAt"),
    ("synced", "syncedAt"),
    ("next attempt", "nextAttemptAt"),
    ("left since", "leftSince"),
    ("out of scope since", "outOfScopeSince"),
    ("picture", "pictureUrl"),
)
_PROFILE = (
    "PictureURL",
    "SPS-PicturePlaceholderState",
    "SPS-PictureExchangeSyncState",
    "SPS-PictureTimestamp",
)
# For older apps, which send no `byDesign`: the reasons to leave a user alone by design.
_BY_DESIGN = {"out-of-scope", "picture-kept", "no-profile", "no-mailbox"}
# The card's button as a command.
_ORDERS = {
    "doctor": "To find the cause: manage.py doctor",
    "removals": "To release what is held back: manage.py sweep --release-removals",
    "leavers": "To release what is held back: manage.py sweep --release-removals",
}
# Without a photo there is nothing to copy; the sentence already says what happens.
_ABSENT = {"no-photo", "removed"}
_VERDICTS = {
    problems.FINE: "Both sides agree.",
    problems.WRONG: "The sides differ.",
    problems.UNSOUND: "The sides cannot be compared now.",
}
_STYLES = {problems.FINE: "green", problems.WRONG: "bold red", problems.UNSOUND: "yellow"}


def account(answer: Fields) -> Fields:
    """The user that an answer is about: ids and names, if given."""
    return answer.part("user") or answer.part("state")


def name(answer: Fields) -> str:
    """The name to show for the user of an answer."""
    user, state = answer.part("user"), answer.part("state")
    return user.text("userPrincipalName") or state.text("userPrincipalName") or state.text("userId")


def comparison(answer: Fields) -> int:
    """FINE if both sides agree or are left alone by design; UNSOUND if not compared."""
    if _is_left_alone(answer):
        return problems.FINE
    if answer.raw.get("agree") is None:
        return problems.UNSOUND
    return problems.FINE if answer.flag("agree") else problems.WRONG


def verdict(answer: Fields) -> int:
    """As `comparison`, but WRONG if the last run failed."""
    failed = answer.part("state").text("status") == "failed"
    return problems.WRONG if failed else comparison(answer)


def repair(answer: Fields) -> int:
    """As `verdict`, but FINE also if the last run skipped the user and says why."""
    return problems.FINE if answer.part("state").text("status") == "skipped" else verdict(answer)


def show_card(answer: Fields, output: Output) -> None:
    """What people see, why, and what happens next; nothing from an older app."""
    if sentence := answer.part("card").text("sentence"):
        output.line(sentence)


def show_ticket(answer: Fields, output: Output) -> None:
    """The text for a ticket. Raises Unsound if the app is too old to send one."""
    ticket = answer.part("card").text("ticket")
    if not ticket:
        raise problems.Unsound("The app is too old to write a ticket text: deploy it again.")
    for line in ticket.splitlines():
        output.line(line)


def show_sides(answer: Fields, output: Output) -> None:
    """Whether both sides agree, and what each says."""
    compared = comparison(answer)
    told = answer.text("difference") or _VERDICTS[compared]
    if _is_left_alone(answer) and not answer.flag("agree"):
        detail = answer.part("state").text("detail")
        # For a leaver both may repeat what Graph said.
        why = "" if told.startswith(detail.rstrip(".")) else f"{detail} "
        told = f"left alone by design: {why}{told}"
    output.line(f"{name(answer)}: {told}", style=_STYLES[compared])
    user, profile = answer.part("user"), answer.part("profile")
    silent = {each.text("side"): _unread(each) for each in answer.parts("unasked")}
    rows = [["Exchange", "user", _account(user)]]
    rows += [["Exchange", "photo", why] for side, why in silent.items() if side == "exchange"]
    rows += [["SharePoint", key, profile.text(key)] for key in _PROFILE if profile]
    if not profile:
        unknown = "could not be read" if compared == problems.UNSOUND else "none"
        rows.append(["SharePoint", "profile", silent.get("sharepoint", unknown)])
    output.table(["side", "what", "value"], rows)
    if order := _order(answer, compared):
        output.line(order)


def show_memory(answer: Fields, output: Output) -> None:
    """What the last run stored, and what happened before."""
    state = answer.part("state")
    rows = [["status", _status(state)]]
    rows += [[label, _value(state, key)] for label, key in _STATE if state.text(key)]
    error = state.part("lastError")
    if error:
        rows.append(["last error", f"{error.when('at')} {error.text('message')}"])
    output.table(["", ""], rows, "Stored state")
    output.table(
        ["at", "event", "detail"],
        [
            [one.when("at"), one.text("event"), one.text("detail")]
            for one in answer.parts("history")
        ],
        "History",
    )


def _order(answer: Fields, compared: int) -> str:
    """The command to run next; empty if there is none."""
    card = answer.part("card")
    repairs = compared == problems.WRONG and answer.part("state").text("status") not in _ABSENT
    action = card.text("action") if card else "replay" if repairs else ""
    if action != "replay":
        return _ORDERS.get(action, "")
    options = "--replace --wait" if answer.text("chosen") else "--wait"
    return f"To repair it: manage.py replay {options} {Shell.here().user(name(answer))}"


def _is_left_alone(answer: Fields) -> bool:
    if card := answer.part("card"):
        return card.flag("byDesign")
    status, reason = (answer.part("state").text(key) for key in ("status", "reason"))
    return status == "left" or (status == "skipped" and reason in _BY_DESIGN)


def _unread(unasked: Fields) -> str:
    seconds = unasked.raw.get("retryAfter")
    again = f" Try again in {ceil(seconds)} s." if isinstance(seconds, int | float) else ""
    return f"could not be read: {unasked.text('message')}{again}"


def _status(state: Fields) -> str:
    status = state.text("status") or "not processed yet"
    until = state.when("nextAttemptAt")
    return f"waiting until {until}" if status == "waiting" and until else status


def _value(state: Fields, key: str) -> str:
    return state.when(key) if key.endswith(("At", "Since")) else state.text(key)


def _account(user: Fields) -> str:
    if not user:
        return "not in the tenant"
    notes = [user.text("displayName"), user.text("userPrincipalName"), user.text("id")]
    # Null if Graph could not be asked.
    notes += ["disabled"] if user.raw.get("accountEnabled") is False else []
    notes += ["guest"] if user.flag("guest") else []
    return ", ".join(note for note in notes if note)
