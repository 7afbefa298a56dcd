"""
PhotoSync beside a straightforward script: the same tenant, the same changes, the same latency, and
the limits of a small tenant.

The script goes through everybody, one after another, and does the same for each: it is run over a
few users, and its counts for more are those times as many. PhotoSync is run over both. The limit of
an app's resource units is not played: neither comes near it, as the busiest minute shows.
"""

from __future__ import annotations

import bisect
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from local import photo_files
from local.bench.conditions import LATENCY, SETTINGS
from local.bench.judge import Judge
from local.bench.ledger import BYTES, FILES, GRAPH, PROFILES, UPLOADS
from local.bench.rows import Row
from local.bench.settled_tenant import SettledTenant
from local.endpoints import Endpoints
from local.portraits import portrait
from local.stack import Stack
from local.watch import Entry

FEW, TIMES = 40, 25
_CHANGED_OF = 20  # one user of so many
_SCRIPT = Path(__file__).with_name("script.py")
_KINDS = {
    GRAPH: "Graph",
    UPLOADS: "uploads",
    PROFILES: "PeopleManager",
    FILES: "other file calls",
}


@dataclass(frozen=True)
class Bout:
    """What one of the two did for some users, from its first request to its last answer."""

    users: int
    seconds: float
    calls: Counter[str]
    busiest: int  # SharePoint calls in any one minute
    wrong: int

    def __str__(self) -> str:
        return f"{self.users:,} users, {self.users // _CHANGED_OF} changed"


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """One round: nearly all of the time is the latency, which does not vary."""
    photos = [photo_files.jpeg(portrait(seed)) for seed in range(12)]
    with Stack(folder, settings=SETTINGS, log_storage=True) as stack:
        tenant = SettledTenant(stack, photos)
        few, script, many = compared(tenant, FEW, TIMES, say)
    return [*_beside(few, script), *_beyond(many, script)]


def compared(
    tenant: SettledTenant, users: int, times: int, say: Callable[[str], None]
) -> tuple[Bout, Bout, Bout]:
    """PhotoSync and the script over so many *users*, and PhotoSync over them *times* times."""
    match, at = _Match(tenant), tenant.at
    tenant.move_in(users)
    say(f"PhotoSync, {users} users")
    few = match.bout(lambda: tenant.ask("sweep"), at.app_client_id)
    say(f"the script, {users} users")
    script = match.bout(lambda: _run_script(at), at.client_id)
    # What the script copied is news to PhotoSync.
    tenant.ask("sweep")
    tenant.move_in(users * (times - 1))
    say(f"PhotoSync, {users * times:,} users")
    many = match.bout(lambda: tenant.ask("sweep"), at.app_client_id)
    return few, script, many


class _Match:
    """Changes photos, lets one of the two copy them, and counts what it took."""

    def __init__(self, tenant: SettledTenant) -> None:
        self._tenant = tenant
        self._judge = Judge(tenant.admin, tenant.photos)
        self._bouts = 0

    def bout(self, copy: Callable[[], None], client_id: str) -> Bout:
        # Others each time: nobody's photo changes twice.
        for user in self._tenant.users[self._bouts :: _CHANGED_OF]:
            self._tenant.change(user, notify=False)
        self._bouts += 1
        self._tenant.admin.control("POST", "/latency", LATENCY)
        mark = self._tenant.ledger.mark()
        copy()
        calls = self._tenant.ledger.since(mark, client_id=client_id)
        asked = self._tenant.ledger.journal(mark)
        own = [entry for entry in asked if entry.get("clientId") == client_id]
        self._tenant.admin.control("POST", "/latency", dict.fromkeys(LATENCY, 0))
        wrong = len(self._judge.wrong())
        return Bout(len(self._tenant.users), _seconds(own), calls, _busiest_minute(own), wrong)


def _run_script(at: Endpoints) -> None:
    certificate = Path(at.client_certificate)
    public = x509.load_pem_x509_certificate(certificate.read_bytes())
    environ = {
        **os.environ,
        "GRAPH_URL": at.graph,
        "MY_URL": at.sharepoint_my,
        "ADMIN_URL": at.sharepoint_admin,
        "AUTHORITY": f"{at.login}/{at.tenant_id}",
        "CLIENT_ID": at.client_id,
        "KEY_FILE": str(certificate),
        "THUMBPRINT": public.fingerprint(hashes.SHA1()).hex(),
        "REQUESTS_CA_BUNDLE": at.ca,
        "NO_PROXY": "localhost",
    }
    subprocess.run([sys.executable, str(_SCRIPT)], env=environ, check=True)


def _seconds(entries: Sequence[Entry]) -> float:
    """From the first request to the last answer."""
    ended = [_began(entry) + timedelta(milliseconds=entry["ms"]) for entry in entries]
    return (max(ended) - min(map(_began, entries))).total_seconds()


def _busiest_minute(entries: Sequence[Entry]) -> int:
    times = sorted(_began(entry) for entry in entries if entry["service"] == "sharepoint")
    minute = timedelta(minutes=1)
    return max(
        (bisect.bisect_left(times, time + minute) - n for n, time in enumerate(times)), default=0
    )


def _began(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["at"])


def _beside(photosync: Bout, script: Bout) -> Iterator[Row]:
    """The same users."""
    yield Row(
        "script",
        f"{photosync}: time",
        photosync.seconds,
        "s",
        goal_ratio=1.0,
        floor=script.seconds,
        floor_is="the script",
        note=f"{LATENCY['graph']} ms Graph, {LATENCY['sharepoint']} ms SharePoint; calls to "
        f"SharePoint in the busiest minute: {photosync.busiest}, the script's {script.busiest}",
    )
    yield from _counts(photosync, script, 1)
    yield Row(
        "script", f"{photosync}: wrong pictures", photosync.wrong, "", goal=0, floor=script.wrong
    )


def _beyond(photosync: Bout, script: Bout) -> Iterator[Row]:
    """More users than the script was run over: its counts are multiplied, its time is not."""
    each = script.seconds / script.users
    yield Row(
        "script",
        f"{photosync}: time",
        photosync.seconds,
        "s",
        note=f"calls to SharePoint in the busiest minute: {photosync.busiest}; the script takes "
        f"{each:.2f} s a user, one after another; below, its counts are those of {script.users} "
        f"users, {TIMES} times",
    )
    yield from _counts(photosync, script, TIMES)
    yield Row("script", f"{photosync}: wrong pictures", photosync.wrong, "", goal=0)


def _counts(photosync: Bout, script: Bout, times: int) -> Iterator[Row]:
    for kind, what in _KINDS.items():
        ours, theirs = photosync.calls[kind], script.calls[kind] * times
        if ours or theirs:
            yield Row("script", f"{photosync}: {what}", ours, "", floor=theirs, goal_ratio=1.0)
    sent, copied = photosync.calls[BYTES] / 1e6, script.calls[BYTES] * times / 1e6
    yield Row("script", f"{photosync}: bytes", sent, "MB", floor=copied, goal_ratio=1.0)
