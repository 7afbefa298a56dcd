"""A simulated tenant with two satellites: hosts, tokens, profiles, libraries, grants and limits."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from local.cloud.certificates import make_certificates
from local.m365.config import Config
from local.m365.tenant.admins import SITES
from local.m365.tenant.records import User
from tests.local.m365.admins import signed_in
from tests.local.m365.simulator import PHOTOSYNC_APP, POOR_APP, Cloud, cloud

pytestmark = pytest.mark.server

HOME, EUROPE, DACH = "contoso", "contosoeur", "fabrikamdach"
FOLDERS = {EUROPE: "Profilbilder", DACH: "Profielafbeeldingen"}
PEOPLE = "/_api/SP.UserProfiles.PeopleManager"


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
    """Anne, whose personal site is in the geography *name*."""
    anne = world.add_user("anne")
    anne.personal_host = "" if name == HOME else f"{host(name)}/"
    return anne


def read(world: Cloud, user: User, at: str) -> requests.Response:
    account = f"'i:0#.f|membership|{user.user_principal_name}'"
    with world.session(host(at, "admin")) as session:
        url = f"{host(at, 'admin')}{PEOPLE}/GetPropertiesFor(accountName=@v)"
        return session.get(url, params={"@v": account}, timeout=10)


def write(world: Cloud, user: User, at: str) -> int:
    account = f"i:0#.f|membership|{user.user_principal_name}"
    body = {"accountName": account, "propertyName": "Office", "propertyValue": "7"}
    with world.session(host(at, "admin")) as session:
        url = f"{host(at, 'admin')}{PEOPLE}/SetSingleValueProfileProperty"
        return session.post(url, json=body, timeout=10).status_code


def upload(world: Cloud, at: str, folder: str, app: str = PHOTOSYNC_APP) -> int:
    path = f"GetFolderByServerRelativePath(decodedurl='/User Photos/{folder}')"
    with world.session(host(at), app) as session:
        url = f"{host(at)}/_api/web/{path}/Files/AddUsingPath(decodedurl='x.jpg',overwrite=true)"
        return session.post(url, data=b"x", timeout=10).status_code


HOSTS = [host(name, kind) for name in (HOME, EUROPE, DACH) for kind in ("my", "admin")]


@pytest.mark.parametrize("asked", HOSTS)
def test_a_token_is_for_one_host(world: Cloud, asked: str):
    """Each host takes the token that is made for it, and no other one's."""
    taken = {}
    for audience in HOSTS:
        with world.session(audience) as session:
            taken[audience] = session.post(f"{asked}/_api/contextinfo", timeout=10).status_code

    assert taken == {audience: 200 if audience == asked else 401 for audience in HOSTS}


@pytest.mark.parametrize("stranger", ["fabrikam", "contosoapc"])
def test_no_token_for_a_stranger(world: Cloud, stranger: str):
    """Entra knows the hosts of this tenant only."""
    answer = world.client().acquire_token_for_client([f"{host(stranger)}/.default"])

    assert "AADSTS500011" in answer["error_description"]


@pytest.mark.parametrize("lives", [HOME, EUROPE, DACH])
def test_a_profile_is_written_where_it_is(world: Cloud, lives: str):
    """Home tells of everybody where they are; only that geography's admin host writes there."""
    anne = inhabitant(world, lives)

    assert read(world, anne, HOME).json()["PersonalSiteHostUrl"] == f"{host(lives)}/"
    assert {at: write(world, anne, at) for at in (HOME, EUROPE, DACH)} == {
        at: 200 if at == lives else 500 for at in (HOME, EUROPE, DACH)
    }


@pytest.mark.parametrize(("switch", "tells"), [("shown", True), ("none", False)])
def test_what_a_satellite_tells_of_others(world: Cloud, switch: str, tells: bool):
    """Unknown, so a switch: the profile with its right host, or none."""
    world.tenant.switches.profiles_elsewhere = switch
    anne = inhabitant(world, EUROPE)

    told = read(world, anne, DACH).json()
    assert (told.get("PersonalSiteHostUrl") == f"{host(EUROPE)}/") is tells
    assert (told == {"odata.null": True}) is not tells
    assert read(world, anne, EUROPE).json()["PersonalSiteHostUrl"] == f"{host(EUROPE)}/"


def test_a_library_for_each(world: Cloud):
    """A file is in the geography that it was put into, in a folder of that host's language."""
    assert upload(world, EUROPE, "Profilbilder") == 200
    assert upload(world, EUROPE, "Profile Pictures") == 404
    assert upload(world, HOME, "Profilbilder") == 404
    assert upload(world, DACH, "Profielafbeeldingen") == 200

    held = {geo.name: len(geo.picture_folder.files) for geo in world.tenant.geos}
    assert held == {"": 0, EUROPE: 1, DACH: 1}


def test_a_permission_for_each(world: Cloud):
    """Sites.Selected opens the root that it was granted on; Graph finds each by its host."""
    sites = f"{world.tenant.urls.graph}/v1.0/sites"
    identity = {"application": {"id": POOR_APP, "displayName": "Poor"}}
    order = {"roles": ["write"], "grantedToIdentities": [identity]}
    with signed_in(world, SITES) as session:
        found = session.get(f"{sites}/{EUROPE}-my.sharepoint.com", timeout=10).json()
        made = session.post(f"{sites}/{found['id']}/permissions", json=order, timeout=10)
        elsewhere = session.get(f"{sites}/fabrikam-my.sharepoint.com", timeout=10)

    assert (made.status_code, elsewhere.status_code) == (201, 404)
    assert upload(world, EUROPE, "Profilbilder", POOR_APP) == 200
    assert upload(world, DACH, "Profielafbeeldingen", POOR_APP) == 403


def test_limits_for_each(world: Cloud):
    """A geography whose limit is reached refuses; the others have their own."""
    world.tenant.switches.people_calls_per_5_minutes = 1
    anne = inhabitant(world, EUROPE)

    assert [read(world, anne, EUROPE).status_code for _ in range(2)] == [200, 429]
    assert read(world, anne, DACH).status_code == 200


def test_files_are_seeded_and_shown_where_the_user_lives(world: Cloud):
    """The control API puts files where an earlier sync would have, and finds them there."""
    sim = f"{world.tenant.urls.control}/_sim/users"
    seed = {"userPrincipalName": "bert@contoso.com", "personalHost": f"{host(DACH)}/"}
    (bert,) = requests.post(sim, json=seed, timeout=10).json()["ids"]
    order = {"files": {f"{bert}_MThumb.jpg": "eA=="}}
    shown = requests.patch(f"{sim}/{bert}", json=order, timeout=10).json()

    assert [one["path"] for one in shown["files"]] == [
        f"/User Photos/Profielafbeeldingen/{bert}_MThumb.jpg"
    ]


def test_a_page_shows_a_satellite_s_picture(world: Cloud):
    """userphoto.aspx follows PictureURL into the geography that it names."""
    anne = inhabitant(world, EUROPE)
    assert upload(world, EUROPE, "Profilbilder") == 200
    assert anne.profile
    anne.profile.properties["PictureURL"] = f"{host(EUROPE)}:443/User%20Photos/Profilbilder/x.jpg"
    with world.session(host(HOME)) as session:
        url = f"{host(HOME)}/_layouts/15/userphoto.aspx"
        shown = session.get(url, params={"accountname": "anne@contoso.com"}, timeout=10)

    assert shown.content == b"x"


def test_the_proxy_leads_nowhere_else(world: Cloud):
    """A host that is not the tenant's cannot be reached, and the journal has who was asked for."""
    before = len(world.tenant.journal.after(0))
    for url in (host("fabrikam"), f"{host(EUROPE)}:8443", "https://sharepoint.com.evil.example"):
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get(url, timeout=10)
    requests.get(host(DACH), timeout=10)

    entries = [one for one in world.tenant.journal.after(before) if one["service"] == "proxy"]
    assert [(one["host"], one["status"]) for one in entries] == [
        ("fabrikam-my.sharepoint.com:443", 502),
        ("contosoeur-my.sharepoint.com:8443", 502),
        ("sharepoint.com.evil.example:443", 502),
        ("fabrikamdach-my.sharepoint.com:443", 200),
    ]


def test_such_a_tenant_is_not_renamed(world: Cloud):
    """Documented: it has to have one geography."""
    url = f"{world.tenant.urls.control}/_sim/rename"
    answer = requests.post(url, data=json.dumps({"name": "fabrikam"}), timeout=10)

    assert (answer.status_code, world.tenant.sharepoint_name) == (400, HOME)


def test_satellites_have_names(tmp_path):
    """Without real names nobody could reach them by the names that profiles tell."""
    certificates = make_certificates(tmp_path)
    with pytest.raises(ValueError, match="realNames"):
        Config("t", certificates.certificate, certificates.key, satellites=FOLDERS)
