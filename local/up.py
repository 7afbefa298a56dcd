"""`python -m local up`: the local cloud with people in it, until Ctrl-C."""

from __future__ import annotations

import base64
import json
import signal
import sys
import threading
from pathlib import Path

from local import people
from local.children import ChildDied
from local.clients import TenantClient
from local.endpoints import Endpoints
from local.node import NoNode
from local.stack import Stack

NEW_PHOTO = "new-photo.json"


def main(folder: Path) -> int:
    """Start everything, say what to try, and stop everything at SIGINT or SIGTERM."""
    folder = folder.resolve()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        print("Starting storage, Microsoft 365 and the Functions host", flush=True)
        with Stack(folder) as stack:
            move_in(stack.endpoints, folder)
            print(invitation(stack.endpoints, folder), flush=True)
            dead: list[str] = []
            while not dead and not stopped.wait(0.5):
                dead = stack.dead_children()
    except (ChildDied, NoNode) as error:
        print(error, file=sys.stderr)
        return 1
    if dead:
        logs = ", ".join(str(folder / f"{name}.log") for name in dead)
        print(f"Stopped, because a part ended by itself; see {logs}", file=sys.stderr)
        return 1
    print("Stopped")
    return 0


def move_in(at: Endpoints, folder: Path) -> None:
    """People with photos, the subscription, and a file with another photo for Anne."""
    admin = TenantClient(at, at.client_id, Path(at.client_certificate))
    ids = people.move_in(at, admin)
    people.subscribe(at)
    for number, (person, user_id) in enumerate(zip(people.PEOPLE, ids, strict=True)):
        if person.photo:
            people.put_photo(admin, user_id, person.photo, number)
    content, _ = people.photo_of("jpeg", seed=77)
    order = {"photo": base64.b64encode(content).decode(), "notify": True}
    (folder / NEW_PHOTO).write_text(json.dumps(order), encoding="utf-8")


def invitation(at: Endpoints, folder: Path) -> str:
    """What a person can try now, as commands to paste."""
    curl = f"curl -s --cacert '{at.ca}'"
    anne = f"{at.control}/_sim/users/anne@contoso.com"
    return f"""
The local cloud is up, with {len(people.PEOPLE)} invented people. Try, in another terminal:

  Does it run?
    {curl} {at.functions}/api/health

  Graph's handshake with the webhook:
    {curl} -X POST '{at.functions}/api/notifications?code={at.key}&validationToken=hello%20world'

  Anne gets another photo in Exchange, and Graph notifies:
    {curl} -X PATCH {anne} -d @'{folder / NEW_PHOTO}'

  Both sides of Anne: "photo" is Exchange, "profile" and "files" are SharePoint:
    {curl} {anne}

  Replay Anne, as if her UPN had been typed into the queue photo-sync:
    {curl} -X POST {at.functions}/admin/functions/sync_photo \\
      -H 'x-functions-key: {at.master_key}' -H 'Content-Type: application/json' \\
      -d '{{"input": "anne@contoso.com"}}'

  What was asked of Microsoft 365, call by call, and what the app says about it:
    {curl} {at.control}/_sim/journal
    grep -o 'photo\\..*' '{folder / "host.log"}'

Everything a program needs is in {folder / "endpoints.json"}. Ctrl-C ends it all."""
