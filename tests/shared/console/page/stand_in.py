"""The console's API with invented answers, for states that a real cloud takes long to reach."""

from __future__ import annotations

import functools
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from local.demo.photo_files import jpeg
from local.demo.portraits.portraits import portrait
from shared.doctor.examination import Check
from tests.doubles import console_answers
from tests.doubles.console_answers import card, entry, state

KEY = "the-right-key"
HOSTILE = "<img src=x onerror=document.title='taken'>"
# The clock of the API, by which the page measures. It stands still: no relative time depends on how
# long a test takes, or on how long ago the tests were collected.
_NOW = datetime.now(UTC)
_CHECKS = (
    Check("settings", True, "All settings are valid.", ""),
    Check("subscription", False, "There is no subscription.", "Type renew into photo-upkeep."),
    Check("read a photo", False, '"list users" failed.', "Fix that first.", looked=False),
)


class Answered(Exception):
    """Ends a request with a status, a sentence and an error code."""

    def __init__(self, status: int, message: str, code: str = "x") -> None:
        super().__init__(message)
        self.status, self.code = status, code


def ago(**length: float) -> str:
    return (_NOW - timedelta(**length)).isoformat()


@dataclass
class Person:
    """
    One user; `exchange` and `sharepoint` are the seeds of the pictures, None for no picture.

    `chosen` is the address of the picture if a person chose it; `sharepoint` is None if it is
    on another host. A person without a status has not been checked: only Microsoft 365 knows
    them, also by *aliases*.
    """

    name: str
    upn: str
    status: str = "synced"
    detail: str = ""
    exchange: int | None = 1
    sharepoint: int | None = 1
    synced_at: str = ""
    damage: str = ""
    chosen: str = ""
    dismissed: bool = False
    aliases: tuple[str, ...] = ()
    checked_at: str = field(default_factory=lambda: ago(minutes=3))

    @property
    def id(self) -> str:
        return f"00000000-0000-4000-8000-{sum(self.upn.encode()):012d}"

    @property
    def stored(self) -> dict[str, Any]:
        """What a list and the stored state have in common."""
        return {
            "userId": self.id,
            "userPrincipalName": self.upn,
            "displayName": self.name,
            "status": self.status,
            "reason": "",
            "detail": self.detail,
            "checkedAt": self.checked_at,
            "syncedAt": self.synced_at,
            "damage": self.damage,
        }

    @property
    def entry(self) -> dict[str, Any]:
        return entry(0, **self.stored, dismissed=self.dismissed)

    @property
    def state(self) -> dict[str, Any] | None:
        return state(**self.stored, attempt=1, sizes="48,72,300") if self.status else None

    def is_called(self, beginning: str) -> bool:
        names = (self.name, self.upn, *self.aliases)
        return any(name.lower().startswith(beginning) for name in names)


@dataclass
class StandIn:
    """The answers of the API. `worker`: whether a replay is processed or stays queued."""

    people: list[Person]
    overview: dict[str, Any] = field(default_factory=dict)
    worker: bool = True
    # Changes to the answer about any person.
    person: dict[str, Any] = field(default_factory=dict)
    doctor: dict[str, Any] = field(default_factory=lambda: _doctor(*_CHECKS))
    page_size: int = 1000
    # Changes to each page of the list.
    listing: dict[str, Any] = field(default_factory=dict)
    # The role of the person signed in, "" for none; None: a key opens the console instead.
    role: str | None = None
    orders: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # The log of orders, newest first.
    log: list[dict[str, Any]] = field(default_factory=list)
    log_is_down: bool = False
    damaged: int = 0
    url: str = ""

    @property
    def home(self) -> str:
        """The address of the page with its key."""
        return f"{self.url}?code={KEY}"

    @property
    def anne(self) -> str:
        """The address of the first person's view."""
        return f"{self.home}#/users/anne%40contoso.com"

    def answer(self, method: str, target: str, body: bytes) -> object:
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        parts = [unquote(part) for part in url.path.split("/")[3:]]
        if method == "POST":
            return self._order(parts, json.loads(body))
        return self._found(parts, query)

    def _found(self, parts: list[str], query: dict[str, str]) -> object:
        match parts:
            case ["me"]:
                return {"via": "person", "name": "anne@contoso.com", "role": self.role}
            case ["overview"]:
                return self._overview()
            case ["users"]:
                return self._page(query)
            case ["users", user]:
                return self._person(self.find(user), query)
            case ["users", user, "photo", side]:
                return _photo(self.find(user), side)
            case ["history"]:
                return self._history(query)
            case ["doctor"]:
                return self.doctor
        raise Answered(404, "There is no such route.")

    def find(self, user: str) -> Person:
        for person in self.people:
            if user in (person.id, person.upn):
                return person
        raise Answered(404, f"Microsoft 365 knows nobody called {user}.")

    def _order(self, parts: list[str], body: dict[str, Any]) -> dict[str, Any]:
        if self.role == "Viewer":
            raise Answered(403, "Orders need the role Operator.", "not-allowed")
        self.orders.append(("/".join(parts), body))
        if body.get("releaseRemovals"):
            del self.overview["brake"]
            return {"released": 21}
        if body.get("releaseRepairs"):
            self.overview["repairBrake"] |= {"released": True}
            return {"released": 34}
        if parts == ["dismiss"]:
            self._dismiss(body)
        if parts == ["audit"]:
            self.overview["audit"] = audit(status="running", everybody=True, progress=0.25)
            return {"audit": self.overview["audit"]}
        if body.get("renew"):
            alive = {"status": "live", "detail": "", "expiresAt": ago(days=-28)}
            self.overview["subscription"] = {**alive, "checkedAt": ago()}
            self.doctor = _doctor(_CHECKS[0])
        if parts[-1] == "replay" and self.worker:
            self._copy(self.find(parts[1]), replace=bool(body.get("replace")))
        return {"queued": True}

    def _dismiss(self, body: dict[str, Any]) -> None:
        for user in body.get("users", []):
            self.find(user).dismissed = True
        if body.get("unreadableTo"):
            self.overview["unreadable"] = []

    def _copy(self, person: Person, *, replace: bool) -> None:
        self.log.insert(0, order(userId=person.id, userPrincipalName=person.upn))
        if person.chosen and not replace:
            person.status, person.detail, person.checked_at = "skipped", "It is kept.", ago()
            return
        person.chosen = ""
        person.sharepoint, person.status, person.detail = person.exchange, "synced", ""
        person.synced_at = person.checked_at = ago()

    def _overview(self) -> dict[str, Any]:
        now, known = ago(), self._known()
        failed = [person for person in self.people if person.status == "failed"]
        failures = [person.entry for person in failed if not person.dismissed]
        expires = {"expiresAt": ago(days=-6, hours=-3), "checkedAt": ago(hours=5)}
        calm: dict[str, Any] = {
            "asOf": now,
            "counts": Counter(person.status for person in known),
            "countedAt": now,
            "subscription": {"status": "live", "detail": "", **expires},
            "sweep": sweep(status="finished", finishedAt=ago(minutes=12), users=len(known)),
            "audit": audit(),
            "differ": sum(bool(person.damage) for person in self.people),
            "failures": failures[:10],
            "dismissed": len(failed) - len(failures),
            "version": "9.8.7",
            "packedAt": ago(days=3),
        }
        return console_answers.overview(**{**calm, **self.overview})

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        begin = int(query.get("token") or 0)
        end = begin + self.page_size
        size = int(query["size"])
        wanted = (query.get("search", "").lower(), query.get("status", ""))
        found = [
            (number, person.entry)
            for number, person in enumerate(self._known()[begin:end], begin)
            if person.name.lower().startswith(wanted[0])
            and wanted[1] in ("", person.status)
            and ("gone" not in query or person.exchange is None)
            and ("differs" not in query or person.damage)
        ]
        after = found[size][0] if len(found) > size else end
        token = str(after) if after < len(self._known()) else ""
        users = [entry for _, entry in found[:size]]
        if wanted[0] and not (users or token or begin or wanted[1]):
            users = [each.entry for each in self.people if each.is_called(wanted[0])]
        return console_answers.users(*users, token=token, **self.listing)

    def _known(self) -> list[Person]:
        return [person for person in self.people if person.status]

    def _history(self, query: dict[str, str]) -> dict[str, Any]:
        if self.log_is_down:
            raise Answered(503, "Storage could not be reached.")
        begin = int(query.get("token") or 0)
        mine = [one for one in self.log if query.get("user", "") in {"", one["userId"]}]
        found = mine[begin : begin + self.page_size]
        token = str(begin + len(found)) if begin + len(found) < len(mine) else ""
        return console_answers.history(*found, token=token, damaged=self.damaged)

    def _person(self, person: Person, query: dict[str, str]) -> dict[str, Any]:
        if query.get("sides") == "none":
            return {"asOf": ago(), "state": person.state}
        agree = person.exchange == person.sharepoint
        url = "https://contoso-my.sharepoint.com/User%20Photos/Profile%20Pictures/x_MThumb.jpg"
        shown = person.chosen or (url if person.sharepoint is not None else "")
        user = {"id": person.id, "userPrincipalName": person.upn, "displayName": person.name}
        answer: dict[str, Any] = {
            "asOf": ago(),
            "user": {**user, "accountEnabled": True, "guest": "#EXT#" in person.upn},
            "state": person.state,
            "profile": {"PictureURL": shown, "SPS-PicturePlaceholderState": "0" if shown else ""},
            "chosen": person.chosen,
            "agree": agree,
            "card": card() if agree else card(action="replay", label="Repair now"),
            "difference": f"SharePoint shows {'the photo' if agree else 'another picture'}.",
            "history": [
                {"at": person.checked_at, "event": person.status, "detail": person.detail},
                {"at": ago(days=2), "event": "queued", "detail": "by a notification"},
            ],
        }
        return console_answers.person(**{**answer, **self.person})


def sweep(**changes: Any) -> dict[str, Any]:
    """A sweep of 1,000 users, as in the overview."""
    times = {"startedAt": ago(minutes=2), "updatedAt": ago(seconds=4), "eta": ago(minutes=-3)}
    users = {"users": 400, "inScope": 400, "changed": {"changed": 7}, "expectedUsers": 1000}
    return console_answers.sweep(**{"status": "running", **times, **users, **changes})


def audit(**changes: Any) -> dict[str, Any]:
    """An audit that has ended, as in the overview."""
    times = {"startedAt": ago(days=7), "updatedAt": ago(hours=1), "finishedAt": ago(hours=1)}
    return console_answers.audit(**{**times, "looked": 940, "differ": 2, **changes})


def order(**changes: Any) -> dict[str, Any]:
    """A replay that a person ordered, and that has ended just now."""
    nobody = {"userId": "", "userPrincipalName": ""}
    return console_answers.order(**{"at": ago(), "endedAt": ago(), **nobody, **changes})


def _doctor(*checks: Check) -> dict[str, Any]:
    return {"ok": all(each.ok for each in checks), "checks": [each._asdict() for each in checks]}


def _photo(person: Person, side: str) -> bytes:
    seed = person.exchange if side == "exchange" else person.sharepoint
    if seed is None and side == "sharepoint" and person.chosen:
        raise Answered(404, "A person chose a picture elsewhere.", "picture-kept")
    if seed is None:
        raise Answered(404, "There is none.")
    return _portrait(seed)


@functools.cache
def _portrait(seed: int) -> bytes:
    return jpeg(portrait(seed, 300))
