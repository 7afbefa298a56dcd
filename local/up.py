"""`python -m local up`: runs the local cloud, with sample people in it, until Ctrl-C."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from admin.terminal.shell import Shell
from local.cloud.children import ChildDied
from local.cloud.endpoints import Endpoints
from local.cloud.stack import Stack
from local.demo import people
from local.ending import ASKS
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Watcher

USUAL_FOLDER = Path(".local")
NEW_PHOTO = "new-photo.json"
# The names of the clouds in CLI for Microsoft 365.
CLI_CLOUDS = {"global": "Public", "usgov": "USGovHigh", "dod": "USGovDoD", "china": "China"}


def main(
    folder: Path, settings: Mapping[str, str], *, sign_in: bool = False, cloud: str = ""
) -> int:
    """
    Start everything with these app *settings*, print what to try, and stop everything at SIGINT or
    SIGTERM. Whenever the settings file changes, the app restarts.

    *sign_in* requires sign-in to the console; *cloud* uses the real host names of that cloud.
    """
    folder = folder.resolve()
    stopped = threading.Event()
    for number in ASKS:
        signal.signal(number, lambda *_: stopped.set())
    try:
        print("Starting storage, Microsoft 365 and the Functions host", flush=True)
        with Stack(folder, settings=settings, sign_in=sign_in, cloud=cloud) as stack:
            add_users(stack.endpoints, folder)
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
                    print("The app has restarted with the new settings", flush=True)
    except ChildDied as error:
        print(error, file=sys.stderr)
        return 1
    if dead:
        logs = ", ".join(str(folder / f"{name}.log") for name in dead)
        print(f"Stopped, because a process ended unexpectedly; see {logs}", file=sys.stderr)
        return 1
    print("Stopped")
    return 0


def add_users(at: Endpoints, folder: Path) -> None:
    """Add people with photos, the subscription, and a file with another photo for Anne."""
    admin = TenantClient(at, at.client_id, Path(at.client_certificate))
    ids = people.add_users(at, admin)
    Watcher(at.storage, admin, folder / "host.log").type_into_queue("renew", "photo-upkeep")
    for person, user_id in zip(people.PEOPLE, ids, strict=True):
        if person.photo:
            people.put_photo(admin, user_id, person.photo, person.face)
    content, _ = people.photo_of("jpeg", seed=77)
    order = {"photo": base64.b64encode(content).decode(), "notify": True}
    (folder / NEW_PHOTO).write_text(json.dumps(order), encoding="utf-8")


def invitation(
    at: Endpoints, folder: Path, settings: Mapping[str, str], shell: Shell | None = None
) -> str:
    """Commands to try, ready to paste; *settings* may add some."""
    say = _Commands(at, folder, shell or Shell.here())
    webhook = f"{at.functions}/api/notifications?code={at.key}"
    anne = f"{at.control}/_sim/users/anne@contoso.com"
    line = ("-w", r"\n")
    more = _real_names(at, say) + _terminal(at, say) + _rehearsal(folder, say, settings)
    more += _groups(at, say, settings)
    everyone, with_photo = len(people.PEOPLE), sum(bool(each.photo) for each in people.PEOPLE)
    return f"""
The local cloud is running, with {everyone} people; {with_photo} have a photo and count in "status".
Try in another terminal:

  The console in a browser ({_way_in(at)}; the certificate is from a local CA):
    {at.functions}/api/console{"" if at.console_client_id else f"?code={at.key}"}

  The same from a terminal; set these variables first:
    {say.setting("PHOTOSYNC_URL", at.functions)}
    {say.setting("PHOTOSYNC_KEY", at.key)}
    {say.setting("PHOTOSYNC_CA", at.ca)}{_login_host(at, say)}
    {say.manage("status")}

  One person, by another mail address or the beginning of a name; stderr says who was matched:
    {say.manage("status", "anne.keller@contoso.com")}
    {say.manage("check", "hugo")}

  What PhotoSync has stored about users, its subscription and its sweeps:
    {say.local("show")}

  Change Anne's photo in Exchange, and Graph sends a notification; then see both sides:
    {say.curl("-X", "PATCH", anne, "-d", f"@{folder / NEW_PHOTO}", "-o", os.devnull)}
    {say.curl(anne)}

  Replay Anne, as an admin does, by typing her name into the queue photo-sync:
    {say.local("type", "anne@contoso.com")}

  A message that cannot be understood is kept, with the reason ({say.local("show")}):
    {say.local("type", "please sync anne")}

  Start a sweep of all users now:
    {say.local("type", "sweep", "--queue", "photo-upkeep")}

  Check the app's health, and try Graph's handshake with the webhook:
    {say.curl(f"{at.functions}/api/health", *line)}
    {say.curl("-X", "POST", f"{webhook}&validationToken=hello%20world", *line)}

  What the app logs, and every call to SharePoint:
    {say.found("(photo|sweep|subscription|notifications)[.].*", folder / "host.log")}
    {say.curl(f"{at.control}/_sim/journal?service=sharepoint")}
{more}
Everything a program needs is in {folder / "endpoints.json"}. Ctrl-C stops everything."""


class _Commands:
    """Builds command lines for the user's shell."""

    def __init__(self, at: Endpoints, folder: Path, shell: Shell) -> None:
        self._shell = shell
        is_usual = folder == USUAL_FOLDER.resolve()
        self._folder = [] if is_usual else ["--folder", str(folder)]
        self.setting = shell.setting
        # In PowerShell `curl` is another program; and our certificate has no revocation list.
        windows = ["curl.exe", "-sS", "--ssl-no-revoke"]
        # A network proxy cannot reach this machine's ports.
        self._curl = windows if shell.powershell else ["curl", "-sS"]
        self._curl += ["--noproxy", "localhost", "--cacert", at.ca]

    def curl(self, *words: str) -> str:
        return self._shell.command(*self._curl, *words)

    def sending(self, content: object, url: str) -> str:
        return self._shell.sending(json.dumps(content), *self._curl, url)

    def local(self, *words: str) -> str:
        return self._shell.command(sys.executable, "-m", "local", *words, *self._folder)

    def manage(self, *words: str) -> str:
        return self._shell.command(sys.executable, "manage.py", *words)

    def m365(self, *words: str) -> str:
        return self._shell.command("m365", *words)

    def found(self, pattern: str, file: Path) -> str:
        """A command that prints the matches of *pattern* in *file*."""
        if self._shell.powershell:
            return self._shell.command("Select-String", "-Path", str(file), "-Pattern", pattern)
        return self._shell.command("grep", "-oE", pattern, str(file))


def _way_in(at: Endpoints) -> str:
    if at.console_client_id:
        return "sign in with any name, as Viewer or as Operator"
    return "the page removes the key from the address bar"


def _login_host(at: Endpoints, say: _Commands) -> str:
    """LOGIN_URL for manage.py, which otherwise trusts only Microsoft's login hosts."""
    return f"\n    {say.setting('LOGIN_URL', at.login)}" if at.console_client_id else ""


def _real_names(at: Endpoints, say: _Commands) -> str:
    """Variables for third-party programs, which use only the real names, and for manage.py."""
    if not at.proxy:
        return ""
    proxy = {"HTTPS_PROXY": at.proxy, "https_proxy": at.proxy, "no_proxy": "localhost"}
    trust = ("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    variables = {**proxy, **dict.fromkeys(trust, at.ca), "M365_CLOUD": at.cloud}
    settings = "\n    ".join(say.setting(name, value) for name, value in variables.items())
    certificate = ("--authType", "certificate", "--certificateFile", at.client_certificate)
    who = ("--appId", at.client_id, "--tenant", at.tenant_id, "--cloud", CLI_CLOUDS[at.cloud])
    return f"""
  Microsoft 365 under its real host names, for any program that reads these variables:
    {settings}
  For example CLI for Microsoft 365, with an app registration that has all rights:
    {say.m365("login", *certificate, *who)}
    {say.m365("spo", "userprofile", "get", "--userName", "anne@contoso.com")}
"""


def _terminal(at: Endpoints, say: _Commands) -> str:
    """Signing in from a terminal; each code is entered in another one, while the first waits."""
    if not at.console_client_id:
        return ""
    grant = ("grant", "--console", "--client-id", at.console_client_id, "--device-code", "--yes")
    enter = f"{at.control}/_sim/sign-in"
    admin = {"userCode": "CODE", "name": "admin@contoso.com", "roles": ["Global Administrator"]}
    anne = {"userCode": "CODE", "name": "anne@contoso.com", "roles": []}
    return f"""
  Sign in from the terminal, too. First an admin sets it up; this command shows a code and waits:
    {say.setting("GRAPH_URL", at.graph)}
    {say.manage(*grant, "--operator", "anne@contoso.com")}
  Meanwhile, in a third terminal, enter the code as the admin: replace CODE with it:
    {say.sending(admin, enter)}
  Then Anne signs in without a key; this command, too, shows a code and waits:
    {say.setting("PHOTOSYNC_KEY", "")}
    {say.manage("status")}
  In the third terminal, enter that code as Anne:
    {say.sending(anne, enter)}
"""


def _rehearsal(folder: Path, say: _Commands, settings: Mapping[str, str]) -> str:
    if settings.get("DRY_RUN", "").lower() != "true":
        return ""
    return f"""
  DRY_RUN is on, so nothing is written to SharePoint. Sweep all users, and see what would change:
    {say.manage("sweep", "--wait")}
    {say.manage("users", "--would-change", "--html", str(folder / "report.html"))}

  Then let it write, and copy all photos:
    {say.local("set", "DRY_RUN=false")}
    {say.manage("sweep", "--wait")}
"""


def _groups(at: Endpoints, say: _Commands, settings: Mapping[str, str]) -> str:
    told = ""
    for name in ("SYNC_GROUP_ID", "EXCLUDED_GROUP_ID"):
        if group := settings.get(name):
            order = {"id": group, "members": ["anne@contoso.com"]}
            told += f"""
  Create the group of {name} with members; repeat the command to replace them:
    {say.sending(order, f"{at.control}/_sim/groups")}
"""
    return told
