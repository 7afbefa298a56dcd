"""A tenant with two satellites, and one that is renamed: hosts have their real names here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER, STRICT
from tests.e2e.test_audit import audit

HOME, EUROPE, DACH = "contoso", "contosoeur", "fabrikamdach"
FOLDERS = {HOME: "Profile Pictures", EUROPE: "Profilbilder", DACH: "Profielafbeeldingen"}
pytestmark = pytest.mark.server

QUIET = {"RENEW_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER}


@pytest.fixture(scope="module")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    # The other satellite's name is regular: nobody has to tell it.
    settings = {**QUIET, "SHAREPOINT_GEOS": DACH}
    satellites = {name: FOLDERS[name] for name in (EUROPE, DACH)}
    folder = tmp_path_factory.mktemp("world")
    with Stack(folder, settings=settings, satellites=satellites) as stack:
        world = LiveCloud(stack)
        world.switch(**STRICT)
        yield world


@pytest.fixture(params=["shown", "none"])
def world(running_world: LiveCloud, request: pytest.FixtureRequest) -> LiveCloud:
    """With either answer of a satellite about somebody who lives elsewhere."""
    running_world.switch(profilesElsewhere=request.param)
    return running_world


def my(name: str) -> str:
    return f"{name}-my.sharepoint.com"


def inhabitant(world: LiveCloud, name: str, photo: int = 1) -> tuple[str, str]:
    """Somebody with a photo whose personal site is in the geography *name*."""
    user_id, upn = world.add(personalHost="" if name == HOME else f"https://{my(name)}/")
    world.seed_photo(user_id, picture(photo))
    return user_id, upn


def address(world: LiveCloud, user_id: str) -> str:
    """PictureURL of the user's profile."""
    profile = world.admin.control("GET", f"/users/{user_id}")["profile"]
    return str(profile.get("PictureURL", ""))


def asked(world: LiveCloud, after: int = 0) -> set[str]:
    """Every host by a real name that anybody tried to reach."""
    entries = world.watcher.journal(after)
    return {each["host"] for each in entries if each["service"] == "proxy"}


def console(world: LiveCloud, path: str) -> Any:
    url = f"{world.at.functions}/api/console/{path}"
    return world.call("GET", url, headers={"x-functions-key": world.at.key})


@pytest.mark.parametrize("name", [HOME, EUROPE, DACH])
def test_photo_reaches_the_user_s_geography(world: LiveCloud, name: str):
    """Three files in that geography's folder, and the profile there names them."""
    user_id, upn = inhabitant(world, name)

    assert world.replayed(user_id)["status"] == "synced"
    url = urlsplit(address(world, user_id))
    assert url.hostname == my(name)
    assert FOLDERS[name].replace(" ", "%20") in url.path
    assert world.shows(upn, picture(1))
    compared = json.loads(console(world, f"users/{user_id}").content)
    assert compared["agree"] is True, compared
    shown = console(world, f"users/{user_id}/photo/sharepoint")
    assert shown.content == world.admin.shown(upn).files["L"]


@pytest.mark.parametrize("name", [HOME, EUROPE])
def test_calls_of_a_known_user(world: LiveCloud, name: str):
    """A changed photo costs as many calls in a satellite as at home: it is known where to look."""
    user_id, _ = inhabitant(world, name)
    world.replayed(user_id)
    world.seed_photo(user_id, picture(2))
    before = max(entry["n"] for entry in world.watcher.journal())
    world.replayed(user_id)

    journal = [e for e in world.journal_of(user_id, before) if e["service"] == "sharepoint"]
    files, profiles = ("my", "admin") if name == HOME else (f"{name}-my", f"{name}-admin")
    assert sorted(e["host"] for e in journal) == sorted([*[files] * 3, *[profiles] * 2])


@pytest.mark.parametrize("name", FOLDERS)
def test_audit_looks_there(world: LiveCloud, name: str):
    """A file that somebody has deleted is missed in the user's own geography, and made anew."""
    user_id, upn = inhabitant(world, name)
    world.replayed(user_id)
    files = {f"{user_id}_LThumb.jpg": None}
    world.admin.control("PATCH", f"/users/{user_id}", {"damage": {"files": files}})

    log = audit(world)

    assert (log["differ"], log["unanswered"]) == (1, 0)
    assert world.shows(upn, picture(1))


def test_user_who_moves(world: LiveCloud):
    """Whoever is moved to another geography gets the picture there with the next copy."""
    user_id, upn = inhabitant(world, EUROPE)
    world.replayed(user_id)
    world.admin.control("PATCH", f"/users/{user_id}", {"personalHost": ""})

    assert world.replayed(user_id)["status"] == "synced"
    assert urlsplit(address(world, user_id)).hostname == my(HOME)
    assert world.shows(upn, picture(1))


def test_no_request_leaves_the_tenant(world: LiveCloud):
    """A profile may name any host: no token is asked for it, and nobody tries to reach it."""
    after = max(entry["n"] for entry in world.watcher.journal())
    for host in ("fabrikam-my.sharepoint.com", "contosoeur-my.sharepoint.com.evil.example"):
        user_id, _ = world.add(personalHost=f"https://{host}/")
        world.seed_photo(user_id, picture(1))
        state = world.replayed(user_id)
        assert (state["status"], state["reason"]) == ("skipped", "other-host")
        assert host in state["detail"]
        assert "SHAREPOINT_GEOS" in state["detail"]
        assert console(world, f"users/{user_id}/photo/sharepoint").status_code == 404

    admins = {f"{name}-admin.sharepoint.com:443" for name in FOLDERS}
    assert asked(world, after) <= admins


def test_everything_that_was_asked_for_is_the_tenant_s(world: LiveCloud):
    """In all these tests no host but the tenant's own was looked for, and each was reached."""
    user_id, _ = inhabitant(world, DACH)
    world.replayed(user_id)
    hosts = {f"{name}-{kind}.sharepoint.com:443" for name in FOLDERS for kind in ("my", "admin")}

    assert asked(world) <= hosts
    # The journal tells of tokens as well: a host that got one made for another answered 401.
    refused = [e for e in world.watcher.journal() if e["service"] == "sharepoint"]
    assert [e for e in refused if e["status"] == 401] == []


def test_doctor_looks_at_the_geography_of_the_setting(world: LiveCloud):
    """It has a token, a folder and a profile to read of its own."""
    told = json.loads(console(world, "doctor").content)
    checks = {check["name"]: check for check in told["checks"]}

    names = ("token for SharePoint files", "token for SharePoint profiles", "read a profile")
    assert all(checks[f"{name} of {DACH}"]["ok"] for name in names)
    assert FOLDERS[DACH] in checks[f"picture folder of {DACH}"]["detail"]
    assert f"picture folder of {EUROPE}" not in checks


# A tenant that is renamed


@pytest.mark.parametrize(
    ("picture_urls", "old_hosts"), [("kept", "gone"), ("rewritten", "redirect")]
)
def test_renamed_tenant(tmp_path: Path, picture_urls: str, old_hosts: str):
    """Pictures at the old address are ours, and written to the new one at the next look."""
    with Stack(tmp_path, settings=QUIET, cloud="global") as stack:
        world = LiveCloud(stack)
        user_id, _ = inhabitant(world, HOME)
        world.replayed(user_id)
        stack.kill_host()
        world.switch(formerHosts=old_hosts)
        order = {"name": "fabrikam", "pictureUrls": picture_urls}
        assert world.admin.control("POST", "/rename", order)["my"] == f"https://{my('fabrikam')}"
        after = max(entry["n"] for entry in world.watcher.journal())
        stack.change_settings({"SHAREPOINT_TENANT": "fabrikam"})
        stack.start_host()

        # Nothing changed in Exchange: only a look at the profile finds the old address.
        if old_hosts == "gone":
            assert audit(world)["differ"] == 0
        else:
            world.replayed(user_id)
        state = world.watcher.states()[user_id]
        shown = world.admin.control("GET", f"/users/{user_id}")
        new = f"https://{my('fabrikam')}:443/"
        assert (state["status"], len(shown["files"])) == ("synced", 3)
        assert shown["profile"]["PictureURL"].startswith(new)
        assert state["pictureUrl"] == shown["profile"]["PictureURL"]
        hosts = {f"fabrikam-{kind}.sharepoint.com:443" for kind in ("my", "admin")}
        assert asked(world, after) <= hosts
