"""Rights and hosts: the tokens, their roles, and which host answers."""

from __future__ import annotations

import re
from urllib.parse import quote

from admin.acceptance.finding import NotRun, Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.wording import host_in
from shared.errors import PhotoSyncError
from shared.microsoft365 import app_roles
from shared.microsoft365.app_roles import FILES_NEED, PROFILES_NEED, needs_of_graph

_ROLE = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+")
_PROFILE = "/_api/SP.UserProfiles.PeopleManager/GetPropertiesFor(accountName=@v)?@v="


def _rights(scene: Scene) -> Seen:
    if scene.direct is None:
        return _of_the_app(scene)
    settings = scene.m365.settings
    hosts = (
        ("Graph", settings.graph_url, needs_of_graph(group=False)),
        ("My Site", settings.sharepoint_my_url, (FILES_NEED,)),
        ("admin host", settings.sharepoint_admin_url, (PROFILES_NEED,)),
    )
    told, fine = [], True
    for name, url, needs in hosts:
        claims = app_roles.read(scene.m365.tokens.bearer(url))
        if claims is None:
            told.append(f"{name}: an unreadable token")
            continue
        lacking = app_roles.missing(needs, claims.roles)
        roles = ", ".join(sorted(role for role in claims.roles if _ROLE.fullmatch(role))) or "none"
        told.append(f"{name}: {roles}" + (f"; missing: {', '.join(lacking)}" if lacking else ""))
        fine = fine and not lacking
    return Seen(" | ".join(told), fine)


def _of_the_app(scene: Scene) -> Seen:
    """Without a certificate, use the app's own checks."""
    checks = scene.app.console.doctor().parts("checks")
    wrong = [each.text("name") for each in checks if not each.flag("ok")]
    if wrong:
        return Seen(f"the app's own checks failed: {', '.join(wrong)}", as_assumed=False)
    return Seen(f"the app's own {len(checks)} checks passed")


def _hosts(scene: Scene) -> Seen:
    m365 = scene.m365
    account = quote(f"i:0#.f|membership|{scene.user.user_principal_name}".replace("'", "''"))
    told, answers = [], {}
    for name, url in (
        ("admin", m365.settings.sharepoint_admin_url),
        ("root", m365.root_url),
        ("My Site", m365.settings.sharepoint_my_url),
    ):
        if not url:
            continue
        try:
            headers = {"Accept": "application/json;odata=nometadata"}
            path = f"{_PROFILE}'{account}'"
            reply = m365.http("sharepoint", url).send("GET", path, headers=headers)
            answers[name] = reply.ok
            told.append(f"{name}: {reply.status}")
        except PhotoSyncError as error:
            told.append(f"{name}: {error.code}")
    return Seen("reading a profile from each host: " + ", ".join(told), answers.get("admin", False))


def _satellites(scene: Scene) -> Seen:
    satellites = scene.m365.geos.satellites
    if not satellites:
        raise NotRun("it needs another geography: set SHAREPOINT_GEOS")
    told, fine = [], True
    home = host_in(scene.m365.settings.sharepoint_my_url)
    for number, geo in enumerate(satellites.values(), 1):
        try:
            host = geo.sharepoint.profile(scene.user).get("PersonalSiteHostUrl", "")
            names = host_in(host) == home
            fine = fine and names
            told.append(f"geography {number}: a profile, home {'named' if names else 'not named'}")
        except PhotoSyncError as error:
            told.append(f"geography {number}: {error.code}")
            fine = fine and error.code == "no-profile"
    return Seen("; ".join(told), fine)


STEPS = (
    Step(
        "rights",
        "Does Entra give a token for each host, and what is in it?",
        "one each for Graph, My Site and admin host, with the roles that grant gives",
        _rights,
    ),
    Step(
        "profile-hosts",
        "Which of SharePoint's hosts lets an app read a profile?",
        "the admin host",
        _hosts,
    ),
    Step(
        "satellites",
        "What does another geography's admin host answer for a user of the home geography?",
        "the profile, which names the home geography, or none",
        _satellites,
    ),
)
