"""
PhotoSync compared with a straightforward script: the same tenant, changes and latency, and the
limits of a small tenant.

The script processes all users one after another, each in the same way. It is run for two users and
for forty, which separates the cost per user from one-time calls. PhotoSync is run for forty users
and for a thousand. The limit of an app's resource units is not simulated: neither comes near it, as
the busiest minute shows.
"""

from __future__ import annotations

import bisect
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from local.bench.measuring.conditions import LATENCY, SETTINGS
from local.bench.measuring.judge import Judge
from local.bench.measuring.ledger import BLOB, HOST, LENGTH, QUEUE
from local.bench.measuring.rows import Row
from local.bench.measuring.settled_tenant import SettledTenant
from local.bench.script.script_result import (
    CHANGED_OF,
    REQUESTS,
    STORAGE,
    Bout,
    Script,
    beside_rows,
    beyond_rows,
)
from local.cloud.endpoints import Endpoints
from local.cloud.stack import Stack
from local.demo import photo_files
from local.demo.portraits.portraits import portrait
from local.outside.watcher import Entry

FEWEST, FEW, MANY = 2, 40, 1_000
_SCRIPT = Path(__file__).with_name("script.py")


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """One round: nearly all of the time is the latency, which does not vary."""
    photos = [photo_files.jpeg(portrait(seed)) for seed in range(12)]
    with Stack(folder, settings=SETTINGS, log_storage=True) as stack:
        tenant = SettledTenant(stack, photos)
        few, script, many = compared(tenant, (FEWEST, FEW, MANY), say)
    return [*beside_rows(few, script), *beyond_rows(many, script)]


def compared(
    tenant: SettledTenant, users: tuple[int, int, int], say: Callable[[str], None]
) -> tuple[Bout, Script, Bout]:
    """The script for the fewest and for a few *users*, PhotoSync for a few and for many."""
    match, at = _Match(tenant), tenant.at
    fewest, few, many = users

    def by_script() -> Bout:
        say(f"the script, {len(tenant.users)} users")
        bout = match.bout(lambda: _run_script(at), at.client_id)
        # PhotoSync does not know yet what the script copied.
        tenant.ask("sweep")
        return bout

    def by_photosync() -> Bout:
        say(f"PhotoSync, {len(tenant.users):,} users")
        return match.bout(lambda: tenant.ask("sweep"), at.app_client_id)

    tenant.move_in(fewest)
    script_fewest = by_script()
    tenant.move_in(few - fewest)
    photosync_few, script_few = by_photosync(), by_script()
    tenant.move_in(many - few)
    return photosync_few, Script(script_fewest, script_few, _lines()), by_photosync()


class _Match:
    """Changes photos, lets one of the two copy them, and counts the cost."""

    def __init__(self, tenant: SettledTenant) -> None:
        self._tenant = tenant
        self._judge = Judge(tenant.admin, tenant.photos)
        self._bouts = 0

    def bout(self, copy: Callable[[], None], client_id: str) -> Bout:
        # Other users each time: no user's photo changes twice.
        for user in self._tenant.users[self._bouts :: CHANGED_OF]:
            self._tenant.change(user, notify=False)
        self._bouts += 1
        self._tenant.admin.control("POST", "/latency", LATENCY)
        mark = self._tenant.ledger.mark()
        copy()
        ledger = self._tenant.ledger
        calls, everybodys = ledger.since(mark, client_id=client_id), ledger.since(mark)
        own = [entry for entry in ledger.journal(mark) if entry.get("clientId") == client_id]
        calls[REQUESTS] = _graph_requests(own)
        calls[STORAGE] = sum(everybodys[kind] for kind in (BLOB, QUEUE, LENGTH, HOST))
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


def _lines() -> int:
    """The number of lines in the script that are not empty, an import or the docstring."""
    lines = _SCRIPT.read_text(encoding="utf-8").splitlines()
    return sum(bool(line) and not line.startswith(("import ", "from ", '"""')) for line in lines)


def _graph_requests(entries: Iterable[Entry]) -> int:
    """Only the items of a batch count: the simulator records them like separate requests."""
    asked = [entry["path"] for entry in entries if entry["service"] == "graph"]
    return sum(not path.endswith("/$batch") for path in asked)


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
