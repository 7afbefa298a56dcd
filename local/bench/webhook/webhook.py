"""
How fast the worker takes notifications: at rest, during copying, and on a saturated machine.

Measured from the call of the function to its return, as README's goal says. That excludes the host,
which stores the messages before it answers Graph; `answers` measures a complete host.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from local.bench.measuring import fresh_process
from local.bench.measuring.concurrency import AT_ONCE
from local.bench.measuring.conditions import LATENCY, PICTURE_SIZES, SETTINGS
from local.bench.measuring.ledger import UPLOADS, counted
from local.bench.measuring.percentile import percentile
from local.bench.measuring.rows import Row, of_rounds
from local.bench.webhook.webhook_process import SIZES
from local.cloud.stack import Stack, app_settings
from local.demo import photo_files
from local.demo.portraits.portraits import portrait
from local.outside.tenant_client import TenantClient

# README's goal is for 100 items, and applies whatever else is running.
_GOAL_MS, _GOAL_ITEMS = 50, 100
_USERS = 48
# The budget must not stop the copying during the measurement.
_SETTINGS = {**SETTINGS, "PROFILE_CALLS_PER_5_MINUTES": "1000000"}


class NothingCopied(RuntimeError):
    """The copying did not run as intended, so the figures mean something else."""


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """The same POSTs three times, with more and more other work."""
    folder.mkdir(parents=True, exist_ok=True)
    say("starting the local cloud")
    with Stack(folder / "cloud", settings=_SETTINGS) as stack:
        at = stack.endpoints
        admin = TenantClient(at, at.client_id, Path(at.client_certificate))
        photo = base64.b64encode(photo_files.jpeg(portrait(1))).decode()
        seeds = [
            {"userPrincipalName": f"user{n}@contoso.com", "photo": photo} for n in range(_USERS)
        ]
        users: list[str] = admin.control("POST", "/users", seeds)["ids"]
        settings = {**app_settings(at), **_SETTINGS, "REQUESTS_CA_BUNDLE": at.ca}
        say("at rest")
        found = at_rest(measured(settings, []))
        say(f"beside {AT_ONCE} runs that copy")
        admin.control("POST", "/latency", LATENCY)
        found += beside_copying(_beside_uploads(stack, admin, settings, users))
        say("beside as much copying as the machine can do")
        admin.control("POST", "/latency", dict.fromkeys(LATENCY, 0))
        return [*found, saturated(_beside_uploads(stack, admin, settings, users))]


def _beside_uploads(
    stack: Stack, admin: TenantClient, settings: Mapping[str, str], users: Sequence[str]
) -> Any:
    """The figures, after checking in SharePoint that every run uploaded its pictures."""
    before = admin.control("GET", "/journal?after=0")["last"]
    figures = measured(settings, users)
    entries = admin.control("GET", f"/journal?after={before}")["entries"]
    done = [entry for entry in entries if entry["status"] < 300]
    check_copies(figures, counted(done, stack.endpoints.app_client_id)[UPLOADS])
    return figures


def check_copies(figures: Mapping[str, Any], uploads: int) -> None:
    """Raises NothingCopied unless *uploads* are three for each run."""
    if not figures["runs"] or uploads < len(PICTURE_SIZES) * figures["runs"]:
        raise NothingCopied(f"{figures['runs']} runs made {uploads} uploads.")


def at_rest(figures: Mapping[str, Any]) -> list[Row]:
    """Every size, and the resulting items a second."""
    found = []
    for size in SIZES:
        found += [_row(figures, size, 50, "at rest"), _row(figures, size, 99, "at rest")]
        rounds = figures["posts"]["notifications"][str(size)]
        rates = [len(took) * size / (sum(took) / 1000) for took in rounds]
        found.append(of_rounds("webhook", f"POSTs of {size}: items a second", rates, ""))
    return found


def beside_copying(figures: Mapping[str, Any]) -> list[Row]:
    """Every size, while one instance copies as much as it does concurrently."""
    note = (
        f"{AT_ONCE} runs of sync_photo at once in the same process, Graph 120 ms and SharePoint "
        f"200 ms away: {_rate(figures)} photos a second"
    )
    found = [_row(figures, size, 99, "beside copying") for size in SIZES]
    return [*found[:-1], _row(figures, SIZES[-1], 99, "beside copying", note=note)]


def saturated(figures: Mapping[str, Any]) -> Row:
    """The size that has a goal, while only this machine limits the copying."""
    note = (
        f"{AT_ONCE} runs of sync_photo at once and no latency: {_rate(figures)} photos a second, "
        "all that this machine can do together with what it simulates"
    )
    return _row(figures, _GOAL_ITEMS, 99, "machine saturated", note=note)


def _rate(figures: Mapping[str, Any]) -> str:
    return f"{figures['copies'] / figures['seconds']:.0f}"


def _row(figures: Mapping[str, Any], size: int, percent: int, when: str, *, note: str = "") -> Row:
    # Of all rounds together: in one round of a hundred POSTs, a p99 would be the second slowest.
    ours, empty = (figures["posts"][name][str(size)] for name in ("notifications", "empty"))
    of_each = [percentile(took, percent) for took in ours]
    has_goal = (size, percent) == (_GOAL_ITEMS, 99)
    of_all = f"of {sum(map(len, ours))} POSTs together, beside it the rounds' own" * has_goal
    return Row(
        "webhook",
        f"POSTs of {size}, {when}: p{percent} in the worker",
        percentile(list(chain.from_iterable(ours)), percent),
        "ms",
        low=min(of_each),
        high=max(of_each),
        rounds=len(of_each),
        floor=percentile(list(chain.from_iterable(empty)), percent),
        floor_is="an empty function with the same bindings",
        goal=_GOAL_MS if has_goal else None,
        note="; ".join(filter(None, [of_all, note])),
    )


def measured(settings: Mapping[str, str], copy: Sequence[str]) -> Any:
    """One measurement of `webhook_process`, in a fresh process with these app settings."""
    order = json.dumps({"copy": list(copy)})
    return fresh_process.answer(
        ["-m", "local.bench.webhook.webhook_process"], environ=settings, text=order
    )
