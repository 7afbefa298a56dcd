"""A tenant with two satellites, and a renamed tenant, at their real host names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.bench.measuring.conditions import LIMITS
from tests.e2e.cloud import LiveCloud, picture, quiet_cloud
from tests.e2e.test_console_routes import call

HOME, EUROPE, DACH = "contoso", "contosoeur", "fabrikamdach"
FOLDERS = {HOME: "Profile Pictures", EUROPE: "Profilbilder", DACH: "Profielafbeeldingen"}
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    # The other satellite's name follows Microsoft's rule, so it needs no setting.
    settings, folder = {"SHAREPOINT_GEOS": DACH}, tmp_path_factory.mktemp("world")
    satellites = {name: FOLDERS[name] for name in (EUROPE, DACH)}
    with quiet_cloud(folder, settings, satellites=satellites) as world:
        world.switch(**LIMITS)
        yield world


@pytest.fixture(params=["shown", "none"])
def either_answer(world: LiveCloud, request: pytest.FixtureRequest) -> None:
    """With both possible answers of a satellite about a user of another geography."""
    world.switch(profilesElsewhere=request.param)


def my(name: str) -> str:
    return f"{name}-my.sharepoint.com"


def inhabitant(world: LiveCloud, name: str, photo: int = 1) -> tuple[str, str]:
    """Add a user with a photo, whose personal site is in the geography *name*."""
    return world.add_unnotified(photo, personalHost="" if name == HOME else f"https://{my(name)}/")


def picture_host(world: LiveCloud, user_id: str) -> str | None:
    return urlsplit(world.profile(user_id)["PictureURL"]).hostname


def asked(world: LiveCloud, after: int = 0) -> set[str]:
    """Every requested host except those of Graph and Entra."""
    entries = world.watcher.journal(after)
    common = {"graph.microsoft.com:443", "login.microsoftonline.com:443"}
    return {each["host"] for each in entries if each["service"] == "proxy"} - common


@pytest.mark.usefixtures("either_answer")
@pytest.mark.parametrize("name", [HOME, EUROPE, DACH])
def test_photo_reaches_the_user_s_geography(world: LiveCloud, name: str):
    """Three files are in that geography's folder, and the profile there names them."""
    user_id, upn = inhabitant(world, name)

    assert world.replayed(user_id)["status"] == "synced"
    assert picture_host(world, user_id) == my(name)
    assert FOLDERS[name].replace(" ", "%20") in world.profile(user_id)["PictureURL"]
    assert world.shows(upn, picture(1))
    compared = call(world, "GET", f"users/{user_id}").json()
    assert compared["agree"] is True, compared
    shown = call(world, "GET", f"users/{user_id}/photo/sharepoint")
    assert shown.content == world.admin.shown(upn).files["L"]


@pytest.mark.parametrize("name", [HOME, EUROPE])
def test_calls_of_a_known_user(world: LiveCloud, name: str):
    """A changed photo costs as many calls in a satellite as at home: the place is known."""
    user_id, _ = inhabitant(world, name)
    world.replayed(user_id)
    world.seed_photo(user_id, picture(2))
    before = world.last_entry()
    world.replayed(user_id)

    journal = [e for e in world.journal_of(user_id, before) if e["service"] == "sharepoint"]
    files, profiles = ("my", "admin") if name == HOME else (f"{name}-my", f"{name}-admin")
    assert sorted(e["host"] for e in journal) == sorted([*[files] * 3, *[profiles] * 2])


def test_audit_checks_the_user_s_geography(world: LiveCloud):
    """A file that was deleted in a satellite is found missing and is written again."""
    user_id, upn = inhabitant(world, EUROPE)
    world.replayed(user_id)
    world.change(user_id, damage={"files": {f"{user_id}_LThumb.jpg": None}})

    log = world.audit()

    assert (log["differ"], log["unanswered"]) == (1, 0)
    assert world.shows(upn, picture(1))


@pytest.mark.usefixtures("either_answer")
def test_user_who_moves(world: LiveCloud):
    """After a move to another geography, the next copy writes the picture there."""
    user_id, upn = inhabitant(world, EUROPE)
    world.replayed(user_id)
    world.change(user_id, personalHost="")

    assert world.replayed(user_id)["status"] == "synced"
    assert picture_host(world, user_id) == my(HOME)
    assert world.shows(upn, picture(1))


def test_no_request_leaves_the_tenant(world: LiveCloud):
    """A profile may name any host: PhotoSync gets no token for it and does not connect to it."""
    after = world.last_entry()
    for host in ("fabrikam-my.sharepoint.com", "contosoeur-my.sharepoint.com.evil.example"):
        user_id, _ = world.add_unnotified(1, personalHost=f"https://{host}/")
        state = world.replayed(user_id)
        assert (state["status"], state["reason"]) == ("skipped", "other-host")
        assert host in state["detail"]
        assert "SHAREPOINT_GEOS" in state["detail"]
        assert call(world, "GET", f"users/{user_id}/photo/sharepoint").status_code == 404

    admins = {f"{name}-admin.sharepoint.com:443" for name in FOLDERS}
    assert asked(world, after) <= admins


def test_all_requested_hosts_are_the_tenant_s(world: LiveCloud):
    """In all these tests, only the tenant's own hosts were requested, with valid tokens."""
    user_id, _ = inhabitant(world, DACH)
    world.replayed(user_id)
    hosts = {f"{name}-{kind}.sharepoint.com:443" for name in FOLDERS for kind in ("my", "admin")}

    assert asked(world) <= hosts
    # A host that gets another host's token answers 401.
    refused = [e for e in world.watcher.journal() if e["service"] == "sharepoint"]
    assert [e for e in refused if e["status"] == 401] == []


def test_doctor_checks_the_geography_of_the_setting(world: LiveCloud):
    """The doctor checks its token, its folder and one of its profiles."""
    found = call(world, "GET", "doctor").json()["checks"]
    checks = {check["name"]: check for check in found}

    names = ("token for SharePoint files", "token for SharePoint profiles", "read a profile")
    assert all(checks[f"{name} of {DACH}"]["ok"] for name in names)
    assert FOLDERS[DACH] in checks[f"picture folder of {DACH}"]["detail"]
    assert f"picture folder of {EUROPE}" not in checks


def test_renamed_tenant(tmp_path: Path):
    """After a rename, an audit recognises the picture at the old URL and writes the new URL."""
    with quiet_cloud(tmp_path, cloud="global") as world:
        user_id, _ = inhabitant(world, HOME)
        world.replayed(user_id)
        world.stack.kill_host()
        world.switch(formerHosts="gone")
        order = {"name": "fabrikam", "pictureUrls": "kept"}
        assert world.admin.control("POST", "/rename", order)["my"] == f"https://{my('fabrikam')}"
        after = world.last_entry()
        world.stack.change_settings({"SHAREPOINT_TENANT": "fabrikam"})
        world.stack.start_host()

        # Nothing changed in Exchange: only the profile shows the old URL.
        assert world.audit()["differ"] == 0
        state = world.watcher.states()[user_id]
        shown = world.admin.control("GET", f"/users/{user_id}")
        new = f"https://{my('fabrikam')}:443/"
        assert (state["status"], len(shown["files"])) == ("synced", 3)
        assert shown["profile"]["PictureURL"].startswith(new)
        assert state["pictureUrl"] == shown["profile"]["PictureURL"]
        hosts = {f"fabrikam-{kind}.sharepoint.com:443" for kind in ("my", "admin")}
        assert asked(world, after) <= hosts
