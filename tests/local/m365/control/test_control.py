"""The control API: seeds, switches, faults, journal, clock, reset."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from local.m365.tenant.records import File, Subscription
from tests.local.m365.graph.test_photos import drawn
from tests.local.m365.simulator import Cloud, HostSession


def test_health(m365: Cloud):
    """No token is needed, and the answer has the base URLs."""
    health = m365.sim("GET", "/health")
    assert (health["ok"], health["urls"]["graph"]) == (True, m365.tenant.urls.graph)


def test_users_are_seeded_and_shown(m365: Cloud):
    """A seed may set any property; the answer has the hashes of photo and files."""
    photo = drawn("PNG")
    seeds = [
        {"userPrincipalName": "anna@contoso.com", "photo": base64.b64encode(photo).decode()},
        {"userPrincipalName": "gast@contoso.com", "userType": "Guest", "profile": None},
    ]
    anna, guest = m365.sim("POST", "/users", seeds)["ids"]
    now, name = m365.tenant.now(), f"{anna}_MThumb.jpg"
    m365.tenant.picture_folder.files[name.casefold()] = File(name, b"x", "e", now, now, "u")

    shown = m365.sim("GET", "/users/anna@contoso.com")

    assert shown["photo"]["sha256"] == hashlib.sha256(photo).hexdigest()
    assert (shown["photo"]["contentType"], shown["photo"]["width"]) == ("image/png", 700)
    assert shown["profile"] == {}
    assert [file["path"] for file in shown["files"]] == [f"/User Photos/Profile Pictures/{name}"]
    types = {user["id"]: user["userType"] for user in m365.sim("GET", "/users")["users"]}
    assert types == {anna: "Member", guest: "Guest"}


def test_invalid_photo_can_be_seeded(m365: Cloud):
    """A broken photo, which Graph would refuse, is stored unchanged."""
    (user,) = m365.sim("POST", "/users", {"userPrincipalName": "anna@contoso.com"})["ids"]
    broken = {"content": base64.b64encode(b"no image").decode(), "contentType": "image/jpeg"}

    shown = m365.sim("PATCH", f"/users/{user}", {"photo": broken, "mailbox": "online"})

    assert shown["photo"]["bytes"] == 8


def test_files_of_an_earlier_sync_can_be_seeded(m365: Cloud):
    """Files go to the picture folder, and files named after the UPN are found too."""
    seed = {
        "userPrincipalName": "anne.o'brien@contoso.com",
        "profile": {"PictureURL": "https://x/anne_o_brien_contoso_com_MThumb.jpg"},
        "files": {"anne_o_brien_contoso_com_MThumb.jpg": base64.b64encode(b"old").decode()},
    }
    (user,) = m365.sim("POST", "/users", seed)["ids"]

    shown = m365.sim("GET", f"/users/{user}")

    assert [file["sha256"] for file in shown["files"]] == [hashlib.sha256(b"old").hexdigest()]
    assert shown["profile"] == seed["profile"]


@pytest.mark.parametrize(
    "seed",
    [
        {},
        {"userPrincipalName": "anna"},
        {"userPrincipalName": "there@contoso.com"},
        {"userPrincipalName": "anna@contoso.com", "mailbox": "elsewhere"},
        {"userPrincipalName": "anna@contoso.com", "accountEnabled": "no"},
        {"userPrincipalName": "anna@contoso.com", "sharepointName": None},
        {"userPrincipalName": "anna@contoso.com", "shoeSize": 43},
        {"userPrincipalName": "anna@contoso.com", "photo": "%%%"},
        {"userPrincipalName": "anna@contoso.com", "id": "7"},
        [7],
    ],
)
def test_bad_seeds_are_refused(m365: Cloud, seed: object):
    """400, and no user is added."""
    m365.add_user("there")
    assert m365.refused("POST", "/users", seed) == 400
    assert len(m365.tenant.users) == 1


def test_many_users_can_be_added(m365: Cloud):
    """`count` creates a large tenant."""
    assert len(m365.sim("POST", "/users", {"count": 50})["ids"]) == 50
    assert len(m365.tenant.users) == 50


def test_groups(m365: Cloud):
    """Members are named by id or UPN; an unknown one is a 404."""
    user = m365.add_user("anna")
    seed = {"members": ["anna@contoso.com"], "displayName": "Pilot"}
    (group,) = m365.sim("POST", "/groups", seed)["ids"]
    shown = {**seed, "id": group, "members": [user.id], "visibility": None}
    assert m365.sim("GET", "/groups") == {"groups": [shown]}
    m365.sim("DELETE", f"/groups/{group}")
    assert m365.sim("GET", "/groups") == {"groups": []}
    assert m365.refused("POST", "/groups", {"members": ["nobody@contoso.com"]}) == 404


def test_switches_are_set_by_name(m365: Cloud):
    """Names are camelCase; `pictureFolder` renames the folder."""
    wanted = {
        "missingPhoto": "1x1",
        "notificationsLost": 1,
        "lockedProperties": ["PictureURL"],
        "pictureFolder": "Profilbilder",
    }
    shown = m365.sim("POST", "/switches", wanted)

    assert {name: shown[name] for name in wanted} == wanted
    assert m365.tenant.switches.missing_photo == "1x1"
    assert m365.tenant.folder("/User Photos/Profilbilder") is not None
    assert m365.sim("GET", "/switches") == shown


@pytest.mark.parametrize(
    "switches",
    [
        {"missingPhoto": "410"},
        {"language": "de"},
        {"mailboxStatus": 500},
        {"notificationsLost": "1"},
        {"notificationsLost": -1},
        {"notificationBatch": 0},
        {"photoRequestsAtOnce": -1},
        {"reencode": 1},
        {"pictureFolder": "a/b"},
        {"missing_photo": "1x1"},
        {"reencode": False, "nonsense": 1},
    ],
)
def test_bad_switches_are_refused(m365: Cloud, switches: dict[str, Any]):
    """400, and every switch stays."""
    before = m365.sim("GET", "/switches")
    assert m365.refused("POST", "/switches", switches) == 400
    assert m365.sim("GET", "/switches") == before


def test_latency_and_faults_are_set_and_cleared(m365: Cloud):
    """Orders are shown; DELETE removes all faults."""
    latency = m365.sim("POST", "/latency", {"graph": 5, "sharepoint": {"ms": 1, "jitterMs": 2}})
    orders = [
        {"service": "sharepoint", "rate": 0.1, "kinds": ["429"], "seed": 3},
        {"service": "graph", "method": "GET", "path": "/photo$", "next": 2, "fault": "half"},
    ]
    faults = m365.sim("POST", "/faults", orders)

    assert latency["graph"] == {"ms": 5.0, "jitterMs": 0.0}
    assert faults["odds"]["sharepoint"]["rate"] == 0.1
    assert faults["next"][0]["next"] == 2
    assert m365.sim("DELETE", "/faults") == {"odds": {}, "next": []}


def test_journal_is_read_after_a_number(m365: Cloud, graph: HostSession):
    """`last` is where the next reading starts; filters do not change it."""
    user = m365.add_user("anna")
    start = m365.sim("GET", "/journal")["last"]
    graph.get(f"/users/{user.id}")
    graph.get("/users")

    all_of_them = m365.sim("GET", f"/journal?after={start}")
    of_anna = m365.sim("GET", f"/journal?after={start}&service=graph&userId={user.id}")

    assert [entry["n"] for entry in all_of_them["entries"]] == [start + 1, start + 2]
    assert [entry["n"] for entry in of_anna["entries"]] == [start + 1]
    assert of_anna["last"] == all_of_them["last"] == start + 2


def test_clock_can_be_moved(m365: Cloud):
    """Subscriptions then expire; the clock never runs backwards."""
    now = m365.tenant.now()
    one = Subscription("1", "app", "users", "updated", "https://x", now + timedelta(hours=1))
    m365.tenant.subscriptions[one.id] = one
    before = m365.sim("GET", "/subscriptions")["subscriptions"]

    m365.sim("POST", "/clock", {"advanceSeconds": 3601})

    assert [entry["id"] for entry in before] == [one.id]
    assert m365.sim("GET", "/subscriptions") == {"subscriptions": []}


def test_reset_keeps_only_apps_and_journal(m365: Cloud):
    """Numbers of the journal are never reused."""
    m365.add_user("anna")
    m365.tenant.switches.missing_photo = "1x1"
    m365.sim("POST", "/latency", {"graph": 5})
    m365.token(m365.tenant.urls.graph)

    last = m365.sim("POST", "/reset")["last"]

    assert m365.sim("GET", "/users") == {"users": []}
    assert m365.sim("GET", "/latency") == {}
    assert m365.sim("GET", "/switches")["missingPhoto"] == "404"
    assert last == m365.sim("GET", "/journal")["last"] > 0
    m365.tokens.clear()
    assert m365.token(m365.tenant.urls.graph)


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/faults", {"service": "graph", "kind": "429"}),
        ("/faults", {"service": "graph", "kinds": ["429"]}),
        ("/faults", {"service": "graph", "fault": "429", "rate": 1}),
        ("/faults", {"service": "graph", "fault": "429", "times": 2}),
        ("/faults", {"service": "graph", "fault": "429", "next": 0}),
        ("/faults", {"service": "graph", "fault": "odd"}),
        ("/faults", {"service": "graph", "fault": "429", "path": "("}),
        ("/faults", ["429"]),
        ("/latency", {"teams": 5}),
        ("/latency", {"graph": {"ms": 5, "jitter": 1}}),
        ("/latency", {"graph": 5, "teams": 5}),
        ("/users", {"count": 5, "profile": None}),
        ("/groups", {"member": []}),
        ("/notify", {}),
        ("/notify", {"user": "there@contoso.com", "count": 5}),
        ("/lifecycle", {"event": "party"}),
        ("/lifecycle", {"event": "missed", "subscription": "1"}),
        ("/clock", {"advanceSeconds": -1}),
        ("/clock", {"advanceSeconds": 1, "advanceHours": 1}),
        ("/reset", {"users": True}),
    ],
)
def test_bad_orders_are_refused(m365: Cloud, path: str, order: object):
    """An unknown key or a bad value is a 400, and nothing in the order is done."""
    m365.add_user("there")
    before = [m365.sim("GET", path) for path in ("/faults", "/latency", "/groups")]

    assert m365.refused("POST", path, order) == 400

    assert [m365.sim("GET", path) for path in ("/faults", "/latency", "/groups")] == before
    assert len(m365.tenant.users) == 1
    assert m365.tenant.skew == timedelta()


@pytest.mark.parametrize(
    ("method", "path", "order", "status"),
    [
        ("GET", "/journal?userid=1", None, 400),
        ("GET", "/users/nobody@contoso.com", None, 404),
        ("POST", "/lifecycle", {"event": "missed"}, 404),
    ],
)
def test_unknown_filters_and_names(m365: Cloud, method: str, path: str, order: Any, status: int):
    """400 for an unknown filter, which would not filter; 404 for what does not exist."""
    assert m365.refused(method, path, order) == status
