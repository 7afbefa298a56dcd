"""`python -m local up`: the local cloud with people in it, until Ctrl-C."""

from __future__ import annotations

import base64
import json
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from local.cloud.children import ChildDied
from local.cloud.endpoints import Endpoints
from local.cloud.stack import Stack
from local.demo import people
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Watcher

NEW_PHOTO = "new-photo.json"
# What CLI for Microsoft 365 calls the clouds.
CLI_CLOUDS = {"global": "Public", "usgov": "USGovHigh", "dod": "USGovDoD", "china": "China"}


def main(
    folder: Path, settings: Mapping[str, str], *, sign_in: bool = False, cloud: str = ""
) -> int:
    """
    Start everything with these app *settings*, say what to try, and stop everything at SIGINT or
    SIGTERM. Whenever the file of settings changes, the app starts anew.

    With *sign_in* people sign in to the console; with *cloud* hosts have their real names there.
    """
    folder = folder.resolve()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        print("Starting storage, Microsoft 365 and the Functions host", flush=True)
        with Stack(folder, settings=settings, sign_in=sign_in, cloud=cloud) as stack:
            move_in(stack.endpoints, folder)
            print(invitation(stack.endpoints, folder, settings), flush=True)
            dead: list[str] = []
            file = folder / "local.settings.json"
            read = file.read_bytes()
            while not dead and not stopped.wait(0.5):
                dead = stack.dead_children()
                if not dead and (now := file.read_bytes()) != read:
                    read = now
                    stack.kill_host()
                    stack.start_host()
                    print("The app has started anew, with other settings", flush=True)
    except ChildDied as error:
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
    Watcher(at.storage, admin, folder / "host.log").type_into_queue("renew", "photo-upkeep")
    for number, (person, user_id) in enumerate(zip(people.PEOPLE, ids, strict=True)):
        if person.photo:
            people.put_photo(admin, user_id, person.photo, number)
    content, _ = people.photo_of("jpeg", seed=77)
    order = {"photo": base64.b64encode(content).decode(), "notify": True}
    (folder / NEW_PHOTO).write_text(json.dumps(order), encoding="utf-8")


def invitation(at: Endpoints, folder: Path, settings: Mapping[str, str]) -> str:
    """What a person can try now, as commands to paste; more where *settings* call for it."""
    # A proxy of the surroundings does not know this machine's ports.
    curl = f"curl -sS --noproxy localhost --cacert '{at.ca}'"
    local = f"'{sys.executable}' -m local"
    manage = f"'{sys.executable}' manage.py"
    webhook = f"{at.functions}/api/notifications?code={at.key}"
    anne = f"{at.control}/_sim/users/anne@contoso.com"
    more = (
        _real_names(at) + _terminal(at, curl, manage) + _rehearsal(folder, manage, local, settings)
    )
    more += _groups(at, curl, settings)
    return f"""
The local cloud is up, with {len(people.PEOPLE)} invented people. Try, in another terminal:

  The console, in a browser ({_way_in(at)}; the certificate is our own):
    {at.functions}/api/console{"" if at.console_client_id else f"?code={at.key}"}

  The same from a terminal, once these are set there:
    export PHOTOSYNC_URL={at.functions}
    export PHOTOSYNC_KEY={at.key}
    export PHOTOSYNC_CA='{at.ca}'{_login_host(at)}
    {manage} status

  One person, by another mail address or the beginning of a name; stderr says whom it took:
    {manage} status anne.keller@contoso.com
    {manage} check hugo

  What PhotoSync knows of everybody, of its subscription and of its sweeps:
    {local} show

  Anne gets another photo in Exchange, and Graph notifies; then both sides of Anne:
    {curl} -X PATCH {anne} -d @'{folder / NEW_PHOTO}' -o /dev/null
    {curl} {anne}

  Replay Anne, as an admin does, by typing her name into the queue photo-sync:
    {local} type anne@contoso.com

  A message that nobody understands is kept, with the reason ({local} show):
    {local} type 'please sync anne'

  A sweep over everybody, now and not in an hour:
    {local} type sweep --queue photo-upkeep

  Does it run? And Graph's handshake with the webhook:
    {curl} {at.functions}/api/health -w '\\n'
    {curl} -X POST '{webhook}&validationToken=hello%20world' -w '\\n'

  What the app says, and what was asked of SharePoint, call by call:
    grep -oE '(photo|sweep|subscription|notifications)\\..*' '{folder / "host.log"}'
    {curl} '{at.control}/_sim/journal?service=sharepoint'
{more}
Everything a program needs is in {folder / "endpoints.json"}. Ctrl-C ends it all."""


def _way_in(at: Endpoints) -> str:
    if at.console_client_id:
        return "sign in by any name, as Viewer or as Operator"
    return "the key leaves the address bar at once"


def _login_host(at: Endpoints) -> str:
    """For manage.py, which is sent to the login page and trusts no host but Microsoft's own."""
    return f"\n    export LOGIN_URL={at.login}" if at.console_client_id else ""


def _real_names(at: Endpoints) -> str:
    """For the programs of others, which know no other names; and for manage.py."""
    if not at.proxy:
        return ""
    return f"""
  Microsoft 365 by its real names, for any program that takes the way from these:
    export HTTPS_PROXY={at.proxy} https_proxy={at.proxy} no_proxy=localhost
    export NODE_EXTRA_CA_CERTS='{at.ca}' REQUESTS_CA_BUNDLE='{at.ca}' SSL_CERT_FILE='{at.ca}'
    export M365_CLOUD={at.cloud}
  Such as CLI for Microsoft 365, with an app registration that may do everything:
    m365 login --authType certificate --certificateFile '{at.client_certificate}' \\
      --appId {at.client_id} --tenant {at.tenant_id} --cloud {CLI_CLOUDS[at.cloud]}
    m365 spo userprofile get --userName anne@contoso.com
"""


def _terminal(at: Endpoints, curl: str, manage: str) -> str:
    """Signing in on a terminal: an admin prepares it, and each code is entered by hand."""
    if not at.console_client_id:
        return ""
    grant = f"grant --console --client-id {at.console_client_id} --device-code --yes"
    enter = f"{curl} {at.control}/_sim/sign-in -d"
    admin = json.dumps(
        {"userCode": "CODE", "name": "admin@contoso.com", "roles": ["Global Administrator"]}
    )
    anne = json.dumps({"userCode": "CODE", "name": "anne@contoso.com", "roles": []})
    return f"""
  Signing in on the terminal, too. An admin prepares it, and enters the code that is shown for CODE:
    GRAPH_URL={at.graph} {manage} {grant} --operator anne@contoso.com
    {enter} '{admin}'
  Then Anne does, without a key:
    PHOTOSYNC_KEY= {manage} status
    {enter} '{anne}'
"""


def _rehearsal(folder: Path, manage: str, local: str, settings: Mapping[str, str]) -> str:
    if settings.get("DRY_RUN", "").lower() != "true":
        return ""
    where = f" --folder '{folder}'"
    return f"""
  DRY_RUN is on, so nothing is written to SharePoint. Look at everybody, and at what would change:
    {manage} sweep --wait
    {manage} users --would-change --html '{folder / "report.html"}'

  Then let it write, and copy everybody:
    {local} set DRY_RUN=false{where}
    {manage} sweep --wait
"""


def _groups(at: Endpoints, curl: str, settings: Mapping[str, str]) -> str:
    told = ""
    for name in ("SYNC_GROUP_ID", "EXCLUDED_GROUP_ID"):
        if group := settings.get(name):
            order = json.dumps({"id": group, "members": ["anne@contoso.com"]})
            told += f"""
  Make the group of {name}, and put people into it; again, to put others there:
    {curl} {at.control}/_sim/groups -d '{order}'
"""
    return told
