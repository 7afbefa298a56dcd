"""The verdict of a soak, by comparing both services with a client independent of PhotoSync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.outside.likeness import is_rendition
from local.outside.watcher import Entry, State
from local.soak.world import QUEUES, REFUSING, VANISHING, World

_FINAL = {"synced", "no-photo", "removed"}


@dataclass(frozen=True)
class Row:
    """One line of the table: what was checked, what was found, and whether that is right."""

    what: str
    found: str
    right: bool = True


def verdict(world: World, journal: Sequence[Entry], *, sent: int, forged: int) -> list[Row]:
    """Everything that must be true once the faults are over."""
    states, shown = world.watcher.states(), Counter(_fault(world, *user) for user in world.users)
    wrong = {fault: count for fault, count in shown.items() if fault}
    touched = _touched(world, journal, states)
    unreadable = world.watcher.unreadable()
    return [
        Row(
            "pictures that are right",
            f"{shown['']} of {len(world.users)}{_listed(wrong)}",
            not wrong,
        ),
        _states(world, states),
        *_odd(world, states),
        Row("subscriptions", str(living := world.subscriptions()), living == 1),
        Row(
            "claims left",
            str(claims := sum(bool(state["claim"]) for state in states.values())),
            not claims,
        ),
        *(
            Row(f"queue {name}", str(left := world.queued(name)), not left)
            for name in (*QUEUES, *(f"{name}-poison" for name in QUEUES))
        ),
        Row(
            "messages set aside, each with its reason",
            f"{len(unreadable)}{_listed(Counter(each['reason'] for each in unreadable))}",
            all(each["reason"] for each in unreadable),
        ),
        Row(
            f"effects of {sent} forged notifications",
            f"{len(touched)}{_listed(Counter(touched))}",
            sent == forged and not touched,
        ),
    ]


def figures(world: World, journal: Sequence[Entry]) -> list[Row]:
    """What happened during the soak: not judged, but it shows what the verdict is worth."""
    mine = [entry for entry in journal if entry.get("clientId") == world.at.app_client_id]
    rows = []
    for service in ("graph", "sharepoint"):
        calls = [entry for entry in mine if entry["service"] == service]
        kinds = Counter(entry["fault"] for entry in calls if "fault" in entry)
        share = kinds.total() / len(calls) if calls else 0.0
        rows.append(Row(f"{service}: calls, of these failed", f"{len(calls)}, {share:.1%}"))
        rows.append(Row("    by kind", _spelled(kinds)))
    delivered = [entry for entry in journal if entry["service"] == "delivery"]
    lost = sum(entry.get("fault") == "lost" for entry in delivered)
    again = sum(entry.get("attempt", 1) > 1 for entry in delivered)
    rows.append(
        Row("notifications", f"{len(delivered)}, of these {lost} lost, {again} posted again")
    )
    return rows


def runs(world: World) -> Row:
    """How the app's runs ended, by its own log."""
    found = Counter(run["event"] for run in world.watcher.outcomes())
    return Row("messages processed", f"{found.total()}{_listed(found)}")


def table(rows: Sequence[Row]) -> str:
    """One line per row; wrong ones are marked."""
    width = max(len(row.what) for row in rows)
    return "\n".join(
        f"{'     ' if row.right else 'WRONG'} {row.what.ljust(width)}  {row.found}" for row in rows
    )


def _fault(world: World, user_id: str, upn: str) -> str:
    """What is wrong with one user's picture; empty if nothing."""
    photo, files = world.admin.photo(user_id), world.admin.shown(upn).files
    if photo is None:
        return "shown without a photo" if files else ""
    if set(files) != set("SML"):
        return "missing"
    right = all(is_rendition(photo, each, letter) for letter, each in files.items())
    return "" if right else "not the photo"


def _states(world: World, states: dict[str, State]) -> Row:
    found = Counter(state["status"] for state in states.values())
    odd = set(world.odd.values())
    rest = [state for user_id, state in states.items() if user_id not in odd]
    open_ones = [state for state in rest if state["status"] not in _FINAL]
    why = {state["detail"]: state["reason"] for state in open_ones}
    return Row("states", f"{_spelled(found)}{_listed(Counter(why))}", not open_ones)


def _odd(world: World, states: dict[str, State]) -> Iterator[Row]:
    """The pictures of the two users whose mailboxes had faults, and their states."""
    for upn, expected in ((REFUSING, "failed"), (VANISHING, "synced")):
        user_id = world.odd[upn]
        fault, state = _fault(world, user_id, upn), states[user_id]
        told = state["status"] == expected and bool(state["reason"]) is (expected == "failed")
        found = f"picture {fault or 'kept'}, {state['status']} {state['reason']}"
        yield Row(upn, found.rstrip(), not fault and told)


def _touched(world: World, journal: Sequence[Entry], states: dict[str, State]) -> list[str]:
    """Every sign that the app did anything about a bystander."""
    strangers = set(world.bystanders)
    calls = [
        f"{entry['method']} {entry['path']}"
        for entry in journal
        if entry.get("userId") in strangers
        and entry.get("clientId") == world.at.app_client_id
        and entry["service"] != "delivery"
    ]
    kept = [f"state of {user_id}" for user_id in strangers & set(states)]
    seen: list[dict[str, Any]] = [
        world.admin.control("GET", f"/users/{user_id}") for user_id in strangers
    ]
    shown = [f"picture of {user['id']}" for user in seen if user["files"] or user["profile"]]
    return [*calls, *kept, *shown]


def _spelled(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _listed(counts: Counter[str] | dict[str, int]) -> str:
    return f": {_spelled(counts)}" if counts else ""
