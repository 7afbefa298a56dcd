"""
The steps of `make demo`: the main job from end to end, on a running local cloud.

A dozen invented people get photos in Exchange; real notifications reach PhotoSync, and it copies
them. Then a client that knows nothing of PhotoSync reads everything back from SharePoint.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.cloud.stack import Stack
from local.cloud.undisturbed import PATIENT_GRAPH
from local.demo import people
from local.demo.people import PEOPLE, Person
from local.outside.console_client import ConsoleClient
from local.outside.likeness import alike
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Watcher, calls_about, milliseconds_to_visible

FINAL = {"synced", "no-photo", "removed", "skipped", "failed"}
_EDITED, _DAMAGED, _KNOWN, _TYPED, _UNHEARD, _REMOVED = 0, 4, 5, 6, 7, 8


class DemoFailed(Exception):
    """A step had the wrong result; the text says which."""


@dataclass
class Result:
    """The result for one person: state, pictures on both sides, calls and time."""

    person: Person
    user_id: str
    status: str = ""
    detail: str = ""
    exchange: bytes | None = None
    sharepoint: Mapping[str, bytes] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    milliseconds: int | None = None
    fault: str = ""


class Demo:
    """One run on a running local cloud."""

    def __init__(
        self, stack: Stack, say: Callable[[str], None], progress: Callable[[int, int], None]
    ) -> None:
        self._at = stack.endpoints
        self._say = say
        self._progress = progress
        self._admin = TenantClient(self._at, self._at.client_id, Path(self._at.client_certificate))
        self._app = TenantClient(self._at, self._at.app_client_id, Path(self._at.app_certificate))
        self._console = ConsoleClient(self._at)
        self._watcher = Watcher(self._at.storage, self._admin, stack.host_log)
        self._results: list[Result] = []

    def run(self) -> tuple[list[Result], dict[str, int]]:
        """Run all steps in order. Returns the results and the counted calls."""
        self._add_people()
        self._subscribe()
        self._change_every_photo()
        self._read_back()
        counted = {
            "unchangedCalls": self._change_something_else(),
            "changedCalls": self._change_a_known_photo(),
        }
        self._upload_the_same_again()
        self._replay_by_typing()
        self._change_without_notification()
        self._remove_and_set_again()
        self._damage()
        self._read_back()
        return self._results, counted

    def _add_people(self) -> None:
        self._admin.control("POST", "/switches", PATIENT_GRAPH)
        ids = people.add_users(self._at, self._admin)
        self._results = [Result(*each) for each in zip(PEOPLE, ids, strict=True)]
        self._say(f"{len(PEOPLE)} invented people are in the tenant")

    def _subscribe(self) -> None:
        self._watcher.type_into_queue("renew", "photo-upkeep")
        self._watcher.until(
            lambda: [] if self._watcher.sweep().get("finishedAt") else ["first sweep"]
        )
        self._say("PhotoSync subscribed through the real handshake; a first sweep found nothing")

    def _change_every_photo(self) -> None:
        began = self._last_entry()
        changed = [result for result in self._results if result.person.photo]
        for result in changed:
            self._put_photo(result, result.person.face)
        self._say(f"{len(changed)} photos were changed in Exchange, through Graph")
        # People without a photo cause no photo notification; an edit of the account does.
        for result in self._results:
            if not result.person.photo:
                self._admin.change_user(result.user_id, {"jobTitle": "Analyst"})
        everybody = len(self._results)
        self._watcher.until(
            self._unsettled, progress=lambda left: self._progress(everybody - left, everybody)
        )
        journal, states = self._watcher.journal(began), self._watcher.states()
        for result in self._results:
            state, me = states[result.user_id], self._at.app_client_id
            result.status, result.detail = state["status"], state["detail"]
            result.calls = calls_about(journal, result.user_id, me)
            result.milliseconds = milliseconds_to_visible(journal, result.user_id, me)

    def _put_photo(self, result: Result, seed: int, form: str = "") -> None:
        people.put_photo(self._admin, result.user_id, form or result.person.photo, seed)

    def _unsettled(self) -> list[str]:
        states = self._watcher.states()
        return [
            result.person.upn
            for result in self._results
            if states.get(result.user_id, {}).get("status") not in FINAL
            or states[result.user_id]["claim"]
        ]

    def _read_back(self) -> None:
        """Read both sides for everybody, and record what is wrong."""
        for result in self._results:
            self._read_back_one(result)
        wrong = [result.person.name for result in self._results if result.fault]
        right = len(self._results) - len(wrong)
        self._say(f"{right} of {len(self._results)} people have the right picture in SharePoint")

    def _read_back_one(self, result: Result) -> None:
        result.exchange = self._admin.photo(result.user_id)
        result.sharepoint = self._admin.shown(result.person.upn).files
        result.fault = self._fault(result)

    def _fault(self, result: Result) -> str:
        if result.status != result.person.expected:
            return f"is {result.status}, not {result.person.expected}: {result.detail}"
        if result.status != "synced":
            return "has a picture in SharePoint" if result.sharepoint else ""
        if result.exchange is None or set(result.sharepoint) != set("SML"):
            return "lacks a picture"
        for size, picture in result.sharepoint.items():
            if not alike(result.exchange, picture):
                return f"has another picture of size {size}"
        return ""

    def _change_something_else(self) -> int:
        result = self._results[_EDITED]
        with self._watched(result, "unchanged") as calls:
            self._admin.change_user(result.user_id, {"jobTitle": "Head of Research"})
        self._say(
            f"{result.person.name}'s job title changed: {_spelled(calls)} to see no new photo"
        )
        return sum(calls.values())

    def _change_a_known_photo(self) -> int:
        result = self._results[_KNOWN]
        with self._watched(result, "synced") as calls:
            self._put_photo(result, seed=50, form="jpeg")
        self._say(f"{result.person.name}'s photo changed once more: {_spelled(calls)}")
        return sum(calls.values())

    def _upload_the_same_again(self) -> None:
        result = self._results[_KNOWN]
        began = self._last_entry()
        with self._watched(result, "unchanged") as calls:
            self._put_photo(result, seed=50, form="jpeg")
        # The profile is read in parallel, before it is known that the photo is the same.
        asked = [each for each in self._watcher.journal(began) if each["service"] == "sharepoint"]
        if any(each["method"] != "GET" for each in asked):
            raise DemoFailed("The same photo was written to SharePoint a second time.")
        self._say(f"The same photo uploaded again: {_spelled(calls)}, nothing written")

    def _replay_by_typing(self) -> None:
        result = self._results[_TYPED]
        with self._watched(result, "unchanged") as calls:
            self._watcher.type_into_queue(result.person.upn)
        self._say(f"{result.person.upn} typed into the queue: processed again, {_spelled(calls)}")

    def _change_without_notification(self) -> None:
        """A photo-only change without a notification, which Graph does not promise."""
        result = self._results[_UNHEARD]
        self._admin.control("POST", "/switches", {"photoOnlyNotifies": False})
        self._put_photo(result, seed=60, form="jpeg")
        with self._watched(result, "synced"):
            self._sweep()
        self._say(
            f"{result.person.name}'s photo changed without a notification: a sweep of "
            f"{len(self._results)} people found it"
        )

    def _remove_and_set_again(self) -> None:
        """A deleted photo's picture is removed, but not in the first sweep."""
        result = self._results[_REMOVED]
        self._admin.delete_photo(result.user_id)
        with self._watched(result, "no-photo"):
            self._sweep()
        if not self._admin.shown(result.person.upn).files:
            raise DemoFailed("A picture was removed in the first sweep.")
        long_ago = datetime.now(UTC) - timedelta(minutes=11)
        self._watcher.skip_time(result.user_id, missingSince=long_ago)
        with self._watched(result, "removed"):
            self._sweep()
        if self._admin.shown(result.person.upn).files:
            raise DemoFailed("The picture of a deleted photo is still shown.")
        self._say(
            f"{result.person.name}'s photo was deleted: the first sweep kept the picture, a second "
            "one removed it from SharePoint (ten minutes were skipped)"
        )
        self._admin.control("POST", "/switches", {"photoOnlyNotifies": True})
        with self._watched(result, "synced"):
            self._put_photo(result, seed=61, form="jpeg")
        self._say(f"{result.person.name} has a photo again, and so has SharePoint")

    def _damage(self) -> None:
        """Somebody replaces a file in SharePoint, which no state records."""
        result = self._results[_DAMAGED]
        strange = base64.b64encode(people.photo_of("jpeg", seed=99)[0]).decode()
        files = {f"{result.user_id}_LThumb.jpg": strange}
        self._admin.control("PATCH", f"/users/{result.user_id}", {"damage": {"files": files}})
        self._read_back_one(result)
        if not result.fault:
            raise DemoFailed("The replaced picture was not detected.")
        with self._watched(result, "synced"):
            self._console.order("audit", repair=True)
        looked = self._watcher.audit()["looked"]
        self._say(
            f"Somebody replaced {result.person.name}'s picture in SharePoint: an audit of {looked} "
            "pictures found and repaired it"
        )

    def _sweep(self) -> None:
        self._watcher.type_into_queue("sweep", "photo-upkeep")

    @contextmanager
    def _watched(self, result: Result, event: str) -> Iterator[dict[str, int]]:
        """Run the block, wait for the run that it causes, and fill in that run's calls."""
        began, before = self._last_entry(), len(self._watcher.outcomes())
        calls: dict[str, int] = {}
        yield calls

        def missing() -> list[str]:
            runs = self._watcher.outcomes()[before:]
            return [] if any(run["user"] == result.user_id for run in runs) else [event]

        self._watcher.until(missing)
        (run,) = self._watcher.outcomes()[before:]
        if run["event"] != event:
            raise DemoFailed(f"Expected {event} for {result.person.upn}, got {run['event']}.")
        journal = self._watcher.journal(began)
        calls |= calls_about(journal, result.user_id, self._at.app_client_id)
        # Storage does not log callers, so this count is the product's own.
        calls["blob"] = int(run["blob"])

    def _last_entry(self) -> int:
        journal = self._watcher.journal()
        return int(journal[-1]["n"]) if journal else 0


def _spelled(calls: Mapping[str, int]) -> str:
    names = {"graph": "Graph", "sharepoint": "SharePoint", "blob": "blob"}
    made = [f"{count} {names[service]}" for service, count in calls.items() if count]
    return f"{' + '.join(made)} calls"
