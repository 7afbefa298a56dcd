"""Several geographies: which hosts are the tenant's, where a user belongs, where tokens go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import NoProfile, OtherHost, ServiceDown, Throttled
from shared.sharepoint.geos import CODES
from tests.doubles.claims import covered
from tests.doubles.web import Answer, answer
from tests.shared.sharepoint.publishing_desk import ANNE, ID, files_of
from tests.shared.sharepoint.several_geos import (
    DACH,
    EUROPE,
    FOLDERS,
    HOME,
    SeveralGeos,
    my,
    url_of,
)
from tests.shared.sharepoint.test_refusals import by_the_name

ALL = [HOME, EUROPE, DACH]


# Which hosts are the tenant's

OURS = {
    "home": (my(HOME), my(HOME)),
    "home, as profiles name it": (f"{my(HOME)}:443/", my(HOME)),
    "by a code": (f"{my('contosoeur')}/", my("contosoeur")),
    "by a code, in capitals": ("https://ContosoEUR-My.SharePoint.com/", my("contosoeur")),
    "by setting": (f"{my(DACH)}:443/User%20Photos/x", my(DACH)),
}
FOREIGN = {
    "another tenant": my("fabrikam"),
    "not a code of Microsoft": my("contosoxyz"),
    "more than a code": my("contosoeurope"),
    "less than a code": my("contosoeu"),
    "something before": my("xcontosoeur"),
    "the admin host": "https://contosoeur-admin.sharepoint.com/",
    "the root": "https://contosoeur.sharepoint.com/",
    "another cloud": "https://contosoeur-my.sharepoint.us/",
    "another domain": "https://contosoeur-my.sharepoint.com.evil.example/",
    "no dot": "https://contosoeur-my-sharepoint.com/",
    "another port": "https://contosoeur-my.sharepoint.com:8443/",
    "no port": "https://contosoeur-my.sharepoint.com:99999/",
    "a user before": "https://contosoeur-my.sharepoint.com@evil.example/",
    "brackets": "https://[contosoeur-my.sharepoint.com/",
    "nothing": "",
    "no address": "contosoeur-my.sharepoint.com",
}


@pytest.mark.parametrize(("url", "ours"), OURS.values(), ids=OURS)
def test_hosts_of_the_tenant(url, ours):
    """The home host, the tenant's name with a geography's code, and the names in the setting."""
    geo = SeveralGeos().geos.of(url)

    assert geo is not None
    assert geo.my_url == ours
    assert geo.admin_url == ours.replace("-my.", "-admin.")


@pytest.mark.parametrize("url", FOREIGN.values(), ids=FOREIGN)
def test_hosts_of_others(url):
    """Every other host is not the tenant's."""
    assert SeveralGeos().geos.of(url) is None


def test_every_code():
    """Each geography on Microsoft's list is known by its code."""
    geos = SeveralGeos().geos

    assert all(geos.of(my(f"contoso{code}")) for code in CODES)
    assert {len(code) for code in CODES} == {3}


@given(st.text() | st.from_regex(r"https://[a-z.:@-]{0,20}contosoeur-my[a-z.:@/-]{0,30}"))
def test_any_url(url):
    """Whatever a URL contains, only hosts of the tenant are called."""
    geo = SeveralGeos().geos.of(url)

    assert geo is None or geo.my_url in {my(name) for name in ("contosoeur", HOME, DACH)}


def test_each_geography_is_opened_once():
    """Its throttle, budget and folder are shared by all threads."""
    geos = SeveralGeos().geos

    assert geos.of(my(EUROPE)) is geos.of(f"{my(EUROPE)}:443/")
    assert geos.satellites[DACH] is geos.of(my(DACH))


# Where a user belongs


@pytest.mark.parametrize("name", ALL)
def test_picture_of_a_geography(name):
    """Files, folder and properties are written and removed in the user's geography only."""
    world = SeveralGeos(name)
    plan = world.publish()

    assert world.sites[name].files == files_of(ID, FOLDERS[name])
    assert plan.picture_url == world.profile["PictureURL"] == url_of(name)
    assert all(world.sites[each].events == [] for each in ALL if each != name)

    removal = world.publisher.plan_removal(ANNE, plan.picture_url)
    world.publisher.remove(removal, before_write=covered)
    assert (world.profile["PictureURL"], world.sites[name].files) == ("", {})


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("has_left", [True, False])
def test_files_of_a_user_without_a_profile(name, has_left):
    """They are removed from the geography of the picture's URL."""
    world = SeveralGeos(name)
    url = world.publish().picture_url
    for site in world.sites.values():
        site.profile = None
    plan = world.publisher.plan_forgetting if has_left else world.publisher.plan_withdrawal
    options = {} if has_left else {"exists": False}
    world.publisher.remove(plan(ANNE, url, **options), before_write=covered)

    assert world.sites[name].files == {}


@pytest.mark.parametrize("host", [f"{my(HOME)}/", "", "nonsense"])
def test_one_read_for_the_home_geography(host):
    """A user of the home geography, or without a personal site, costs one read of the profile."""
    world = SeveralGeos(HOME)
    world.sites[HOME].personal_host = host
    world.publisher.plan(ANNE, url_of(HOME))

    assert world.reads() == ["contoso-admin.sharepoint.com"]


def test_satellite_is_found_through_home():
    """Home names the satellite of a new user, the picture's URL that of a known one."""
    world = SeveralGeos(EUROPE)
    plan = world.publish()
    # A token goes only to the host that it is for, and only to hosts that are needed.
    assert world.tokens.asked == {f"https://{host}" for host, _ in world.calls}
    assert world.tokens.asked == {
        "https://contoso-admin.sharepoint.com",
        "https://contosoeur-admin.sharepoint.com",
        "https://contosoeur-my.sharepoint.com",
    }
    assert world.reads() == ["contoso-admin.sharepoint.com", "contosoeur-admin.sharepoint.com"]

    again = world.publisher.plan(ANNE, plan.picture_url)
    assert again.is_shown
    assert world.reads() == ["contosoeur-admin.sharepoint.com"]
    assert [world.sites[name].listings for name in ALL] == [0, 1, 0]


@pytest.mark.parametrize("to", [HOME, DACH])
def test_user_who_moved(to):
    """The picture's URL is only where to look first: the profile says where the user belongs."""
    world = SeveralGeos(EUROPE)
    before = world.publish().picture_url
    world.sites[to].profile = dict(world.profile)
    world.live_in(to)

    assert world.publish(before).picture_url == url_of(to)
    assert world.sites[to].files == files_of(ID, FOLDERS[to])
    assert world.profile["PictureURL"] == url_of(to)


@pytest.mark.parametrize(
    "gone",
    [answer({"odata.null": True}), answer({}, 401), Answer(502), answer({}, 403)],
    ids=["no profile", "no token", "no host", "no right"],
)
def test_geography_that_is_gone(gone):
    """A user of a geography that no longer answers is found where home says."""
    world = SeveralGeos(EUROPE)
    before = world.publish().picture_url
    world.live_in(HOME)
    world.faults[EUROPE] = gone

    assert world.publish(before).picture_url == url_of(HOME)


@pytest.mark.parametrize(
    ("fault", "error", "why"),
    [
        (answer({}, 429, retry_after="60"), Throttled, None),
        (Answer(500), ServiceDown, None),
        (answer({"odata.null": True}), NoProfile, "no profile for this user"),
        (by_the_name(ID.replace("3", "4")), NoProfile, "still belongs to another user"),
    ],
    ids=["throttled", "down", "no profile", "another user's profile"],
)
@pytest.mark.parametrize("hint", [url_of(EUROPE), ""], ids=["known", "new"])
def test_geography_in_trouble(fault, error, why, hint):
    """Its error is the user's, and no other geography is written to instead."""
    world = SeveralGeos(EUROPE)
    world.faults[EUROPE] = fault

    with pytest.raises(error, match=why):
        world.publisher.plan(ANNE, hint)
    assert all(site.events == [] for site in world.sites.values())


def test_throttled_geography():
    """Limits are per geography: while one throttles us, users of others are copied."""
    world = SeveralGeos(EUROPE)
    world.faults[EUROPE] = answer({}, 429, retry_after="600")
    with pytest.raises(Throttled):
        world.publisher.plan(ANNE, url_of(EUROPE))
    # It answers, so home is not asked where the user belongs.
    assert set(world.reads()) == {"contosoeur-admin.sharepoint.com"}

    world.live_in(DACH)
    assert world.publish().picture_url == url_of(DACH)


def test_geographies_that_disagree():
    """If home names a satellite that names another one, nothing is written."""
    world = SeveralGeos(EUROPE)
    world.sites[EUROPE].personal_host = f"{my(DACH)}/"

    with pytest.raises(OtherHost, match=r"contosoeur-my.* names https://fabrikamdach-my"):
        world.publish()
    assert all(site.events == [] for site in world.sites.values())


def test_satellite_that_names_no_host():
    """If a satellite names no host, home's answer counts."""
    world = SeveralGeos(EUROPE)
    world.sites[EUROPE].personal_host = ""

    assert world.publish(url_of(EUROPE)).picture_url == url_of(EUROPE)


# Folders


def test_folder_by_setting():
    """
    PICTURE_FOLDER is always used at home; in a satellite, with another language, if it exists.
    """
    world = SeveralGeos(EUROPE, PICTURE_FOLDER="Archive")
    world.sites[DACH].folders = ("Archive", "Profielafbeeldingen")

    assert world.publisher.plan(ANNE, "").location.folder == "Profilbilder"
    world.live_in(DACH)
    assert world.publisher.plan(ANNE, "").location.folder == "Archive"
    world.live_in(HOME)
    assert world.publisher.plan(ANNE, "").location.folder == "Archive"
    assert world.sites[HOME].listings == 0


# Where tokens go


@pytest.mark.parametrize("known", [True, False], ids=["recorded", "new"])
@pytest.mark.parametrize("host", [FOREIGN[each] for each in ("another tenant", "a user before")])
def test_no_token_for_a_foreign_host(host, known):
    """Tokens are requested for, and requests sent to, the tenant's own hosts only."""
    world = SeveralGeos(HOME)
    world.live_in(HOME, host=host)

    with pytest.raises(OtherHost, match="SHAREPOINT_GEOS"):
        world.publisher.plan(ANNE, f"{host}User%20Photos/P/{ID}_MThumb.jpg" if known else "")
    assert world.tokens.asked == {"https://contoso-admin.sharepoint.com"}
    assert world.reads() == ["contoso-admin.sharepoint.com"]


def test_picture_url_on_a_foreign_host():
    """A recorded URL on a foreign host, with the user's own id, causes no call to that host."""
    world = SeveralGeos(HOME)
    colleague = replace(ANNE, id=ID.replace("3", "4"))
    world.sites[HOME].profile = {"PictureURL": url_of(HOME, colleague.id)}
    world.publish(f"{my('fabrikam')}/User%20Photos/P/{ID}_MThumb.jpg")

    assert world.profile["PictureURL"] == url_of(HOME)
    assert {host.partition("-")[0] for host, _ in world.calls} == {"contoso"}
