"""A simulated tenant with two satellites: hosts, tokens, profiles, libraries, grants and limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from local.cloud.certificates import make_certificates
from local.m365.config import Config
from local.m365.tenant.admins import SITES
from local.m365.tenant.records import User
from tests.local.m365 import picture_library
from tests.local.m365.sharepoint import test_profiles
from tests.local.m365.simulator import PHOTOSYNC_APP, POOR_APP, TIMEOUT, Cloud, cloud

pytestmark = pytest.mark.server

HOME, EUROPE, DACH = "contoso", "contosoeur", "fabrikamdach"
FOLDERS = {EUROPE: "Profilbilder", DACH: "Profielafbeeldingen"}


@pytest.fixture(scope="module")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud(tmp_path_factory.mktemp("world"), real_names=True, satellites=FOLDERS) as simulated:
        yield simulated


@pytest.fixture
def world(running_world: Cloud) -> Cloud:
    running_world.renew()
    return running_world


def host(name: str, kind: str = "my") -> str:
    return f"https://{name}-{kind}.sharepoint.com"


def inhabitant(world: Cloud, name: str) -> User:
    """Anne, with a personal site in the geography *name*."""
    anne = world.add_user("anne")
    anne.personal_host = "" if name == HOME else f"{host(name)}/"
    return anne


def read(world: Cloud, user: User, at: str) -> requests.Response:
    with world.session(host(at, "admin")) as session:
        return test_profiles.read(session, test_profiles.account(user))


def write(world: Cloud, user: User, at: str) -> int:
    with world.session(host(at, "admin")) as session:
        return test_profiles.write(session, user, "Office", "7").status_code


def upload(world: Cloud, at: str, folder: str, app: str = PHOTOSYNC_APP) -> int:
    with world.session(host(at), app) as session:
        return picture_library.upload(session, "x.jpg", b"x", folder).status_code


HOSTS = [host(name, kind) for name in (HOME, EUROPE, DACH) for kind in ("my", "admin")]


@pytest.mark.parametrize("target", HOSTS)
def test_token_is_for_one_host(world: Cloud, target: str):
    """Each host accepts only tokens for itself."""
    statuses = {}
    for audience in HOSTS:
        with world.session(audience) as session:
            statuses[audience] = session.post(f"{target}/_api/contextinfo").status_code

    assert statuses == {audience: 200 if audience == target else 401 for audience in HOSTS}


@pytest.mark.parametrize("stranger", ["fabrikam", "contosoapc"])
def test_no_token_for_hosts_of_other_tenants(world: Cloud, stranger: str):
    """Entra knows only the hosts of this tenant."""
    answer = world.client().acquire_token_for_client([f"{host(stranger)}/.default"])

    assert "AADSTS500011" in answer["error_description"]


@pytest.mark.parametrize("lives", [HOME, EUROPE, DACH])
def test_profile_is_written_only_in_its_geography(world: Cloud, lives: str):
    """The home geography reads all profiles with their hosts, but writes only its own."""
    anne = inhabitant(world, lives)

    assert read(world, anne, HOME).json()["PersonalSiteHostUrl"] == f"{host(lives)}/"
    assert {at: write(world, anne, at) for at in (HOME, EUROPE, DACH)} == {
        at: 200 if at == lives else 500 for at in (HOME, EUROPE, DACH)
    }


@pytest.mark.parametrize(("switch", "shown"), [("shown", True), ("none", False)])
def test_profiles_of_another_satellite(world: Cloud, switch: str, shown: bool):
    """Unknown, so a switch: the profile with its host, or none."""
    world.tenant.switches.profiles_elsewhere = switch
    anne = inhabitant(world, EUROPE)

    answer = read(world, anne, DACH).json()
    assert (answer.get("PersonalSiteHostUrl") == f"{host(EUROPE)}/") is shown
    assert (answer == {"odata.null": True}) is not shown
    assert read(world, anne, EUROPE).json()["PersonalSiteHostUrl"] == f"{host(EUROPE)}/"


def test_each_geography_has_a_library(world: Cloud):
    """With its own files, and a picture folder in the language of its host."""
    assert upload(world, EUROPE, "Profilbilder") == 200
    assert upload(world, EUROPE, "Profile Pictures") == 404
    assert upload(world, HOME, "Profilbilder") == 404
    assert upload(world, DACH, "Profielafbeeldingen") == 200

    held = {geo.name: len(geo.picture_folder.files) for geo in world.tenant.geos}
    assert held == {"": 0, EUROPE: 1, DACH: 1}


def test_each_geography_has_permissions(world: Cloud):
    """Sites.Selected opens only the root with the grant; Graph finds each root by its host."""
    identity = {"application": {"id": POOR_APP, "displayName": "Poor"}}
    order = {"roles": ["write"], "grantedToIdentities": [identity]}
    with world.signed_in(SITES) as session:
        found = session.get(f"/sites/{EUROPE}-my.sharepoint.com").json()
        made = session.post(f"/sites/{found['id']}/permissions", json=order)
        elsewhere = session.get("/sites/fabrikam-my.sharepoint.com")

    assert (made.status_code, elsewhere.status_code) == (201, 404)
    assert upload(world, EUROPE, "Profilbilder", POOR_APP) == 200
    assert upload(world, DACH, "Profielafbeeldingen", POOR_APP) == 403


def test_each_geography_has_limits(world: Cloud):
    """Only the geography that has reached its limit refuses calls."""
    world.tenant.switches.people_calls_per_5_minutes = 1
    anne = inhabitant(world, EUROPE)

    assert [read(world, anne, EUROPE).status_code for _ in range(2)] == [200, 429]
    assert read(world, anne, DACH).status_code == 200


def test_files_are_seeded_in_the_geography_of_the_user(world: Cloud):
    """The control API puts them where an earlier sync would have, and shows them."""
    seed = {"userPrincipalName": "bert@contoso.com", "personalHost": f"{host(DACH)}/"}
    (bert,) = world.sim("POST", "/users", seed)["ids"]
    shown = world.sim("PATCH", f"/users/{bert}", {"files": {f"{bert}_MThumb.jpg": "eA=="}})

    (file,) = shown["files"]
    assert file["path"] == f"/User Photos/Profielafbeeldingen/{bert}_MThumb.jpg"


def test_page_shows_the_picture_of_a_satellite(world: Cloud):
    """userphoto.aspx follows PictureURL to the geography in it."""
    anne = inhabitant(world, EUROPE)
    assert upload(world, EUROPE, "Profilbilder") == 200
    url = f"{host(EUROPE)}:443/User%20Photos/Profilbilder/x.jpg"
    test_profiles.set_picture_url(anne, url)
    with world.session(host(HOME)) as session:
        shown = session.get("/_layouts/15/userphoto.aspx?accountname=anne@contoso.com")

    assert shown.content == b"x"


def test_proxy_reaches_no_other_host(world: Cloud):
    """Hosts of other tenants cannot be reached, and the journal has the requested names."""
    before = len(world.tenant.journal.after(0))
    for url in (host("fabrikam"), f"{host(EUROPE)}:8443", "https://sharepoint.com.evil.example"):
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get(url, timeout=TIMEOUT)
    requests.get(host(DACH), timeout=TIMEOUT)

    entries = [one for one in world.tenant.journal.after(before) if one["service"] == "proxy"]
    assert [(one["host"], one["status"]) for one in entries] == [
        ("fabrikam-my.sharepoint.com:443", 502),
        ("contosoeur-my.sharepoint.com:8443", 502),
        ("sharepoint.com.evil.example:443", 502),
        ("fabrikamdach-my.sharepoint.com:443", 200),
    ]


def test_tenant_with_satellites_cannot_be_renamed(world: Cloud):
    """Documented: only a tenant with one geography can be renamed."""
    assert world.refused("POST", "/rename", {"name": "fabrikam"}) == 400
    assert world.tenant.sharepoint_name == HOME


def test_satellites_need_real_names(tmp_path):
    """Without real names, the hosts in profiles could not be reached."""
    certificates = make_certificates(tmp_path)
    with pytest.raises(ValueError, match="realNames"):
        Config("t", certificates.certificate, certificates.key, satellites=FOLDERS)
