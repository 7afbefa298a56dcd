"""`python -m local soak`: many changes under many faults, and at the end every picture is right."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from local.cloud.children import ChildDied
from local.cloud.stack import Stack
from local.outside.watcher import NotSettled
from local.soak import plan
from local.soak.fault_phase import FaultPhase
from local.soak.pictures import pictures
from local.soak.plan import Scale
from local.soak.quiet_phase import QuietPhase, Unsettled
from local.soak.verdict import Row, figures, runs, table, verdict
from local.soak.world import SETTINGS, World

_SWITCHES = {
    "notificationsLost": 0.2,
    "notificationsDoubled": 0.2,
    "notificationsShuffled": True,
    "notificationDelay": 1.0,
    "notificationForeign": True,
    "backoffSeconds": 2,
    "listPages": "empty",
}
_CALM = {
    "notificationsLost": 0,
    "notificationsDoubled": 0,
    "notificationDelay": 0,
    "notificationForeign": False,
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the options of `soak`; their defaults are those of Scale."""
    usual = Scale()
    command.add_argument(
        "--seed", type=int, help="repeats a run's plan and faults; default: random"
    )
    command.add_argument("--users", type=int, default=usual.users, help="number of users")
    command.add_argument(
        "--changes", type=int, default=usual.changes, help="number of photo changes"
    )
    command.add_argument(
        "--minutes", type=float, default=usual.seconds / 60, help="how long the faults last"
    )
    command.add_argument(
        "--kills", type=int, default=usual.kills, help="how often to kill the host"
    )
    command.add_argument(
        "--worker-kills",
        type=int,
        default=usual.worker_kills,
        help="how often to kill only the worker; the third time in a row ends the host, which is "
        "restarted",
    )
    command.add_argument(
        "--forged", type=int, default=usual.forged, help="number of forged notifications"
    )
    command.add_argument("--rate", type=float, default=usual.rate, help="share of failing calls")
    command.add_argument(
        "--patience",
        type=float,
        default=usual.patience,
        help="seconds after the faults in which delayed messages may still be processed",
    )


def main(folder: Path, chosen: argparse.Namespace) -> int:
    """Run a soak in *folder*; 0 only if everything is right at its end."""
    scale = Scale(
        users=chosen.users,
        changes=chosen.changes,
        seconds=chosen.minutes * 60,
        kills=chosen.kills,
        worker_kills=chosen.worker_kills,
        forged=chosen.forged,
        rate=chosen.rate,
        patience=chosen.patience,
    )
    seed = secrets.randbelow(1_000_000) if chosen.seed is None else chosen.seed
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    print(f"Seed {seed}; --seed {seed} repeats what is changed when, and the faults", flush=True)
    try:
        with Stack(folder, settings=SETTINGS) as stack:
            rows = soak(stack, scale, seed, say)
    except (ChildDied, NotSettled, Unsettled) as error:
        print(f"\nThe soak failed. {error}\nSeed {seed}; logs in {folder}", file=sys.stderr)
        return 1
    right = all(row.right for row in rows)
    print(f"\n{table(rows)}\n\n{'All is right' if right else 'Not right'}. Seed {seed}.")
    return 0 if right else 1


def soak(stack: Stack, scale: Scale, seed: int, say: Callable[[str], None]) -> list[Row]:
    """Run all phases in order; returns the table at the end."""
    world, photos = World(stack), pictures(scale.pictures)
    first = plan.first_photos(scale, seed)
    world.add_users(scale.users, {user: photos[number] for user, number in first.items()})
    say(
        f"{scale.users} users and {len(world.bystanders)} bystanders are in the tenant, and two "
        "whose mailboxes will refuse or vanish"
    )
    quiet_phase = QuietPhase(world, say, patience=scale.patience)
    quiet_phase.begin()
    world.admin.control("POST", "/switches", _SWITCHES)
    for order in plan.fault_orders(scale, seed):
        world.admin.control("POST", "/faults", order)
    world.refuse()
    world.remove_mailbox()
    began = world.watcher.journal()[-1]["n"]
    say(f"The first run is over. Now {scale.rate:.0%} of all calls to Graph and SharePoint fail")
    fault_phase = FaultPhase(world, photos, say)
    fault_phase.play(plan.timeline(scale, seed))
    world.admin.control("DELETE", "/faults")
    world.refuse()
    world.admin.control("POST", "/switches", _CALM)
    say("The faults are over")
    along = [
        *figures(world, world.watcher.journal(began)),
        replace(runs(world), what="messages processed until then, including the first run"),
    ]
    quiet_phase.settle()
    quiet_phase.end()
    say("Comparing both sides of every user")
    done = fault_phase.done
    changes = sum(done[kind] for kind in plan.CHANGES)
    return [
        Row("changes", f"{changes}, of these {done['remove']} removals, {done['same']} identical"),
        Row("kills of the host", f"{done['kill']}", done["kill"] == scale.kills),
        Row(
            "kills of the worker alone",
            f"{done[plan.KILL_WORKER]}",
            done[plan.KILL_WORKER] == scale.worker_kills,
        ),
        Row("messages dropped after the faults", str(quiet_phase.dropped)),
        Row(
            "pictures damaged in SharePoint, repaired by the audit",
            f"{quiet_phase.repaired}, of {done[plan.DAMAGE]} damages",
            quiet_phase.repaired > 0,
        ),
        *along,
        runs(world),
        *verdict(world, world.watcher.journal(), sent=done["forge"], forged=scale.forged),
    ]
