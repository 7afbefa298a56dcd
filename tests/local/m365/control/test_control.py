"""The control API: seeds, switches, faults, journal, clock, reset."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import requests

from local.m365.tenant.records import File, Subscription
from tests.local.m365.graph.test_photos import drawn
from tests.local.m365.simulator import Cloud


def sim(m365: Cloud, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(
        method, f"{m365.tenant.urls.control}/_sim{path}", json=body, timeout=10
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(m365: Cloud, method: str, path: str, body: Any = None) -> int:
    url = f"{m365.tenant.urls.control}/_sim{path}"
    return requests.request(method, url, json=body, timeout=10).status_code


def test_health_says_where_everything_is(m365: Cloud):
    """No token is needed."""
    health = sim(m365, "GET", "/health")
    assert health["ok"] is True
    assert health["urls"]["graph"] == m365.tenant.urls.graph


def test_users_are_seeded_and_shown_whole(m365: Cloud):
    """A seed may name anything; what is shown has the hashes of photo and files."""
    photo = drawn("PNG")
    seeds = [
        {"userPrincipalName": "anna@contoso.com", "photo": base64.b64encode(photo).decode()},
        {"userPrincipalName": "gast@contoso.com", "userType": "Guest", "profile": None},
    ]
    anna, guest = sim(m365, "POST", "/users", seeds)["ids"]
    now = m365.tenant.now()
    name = f"{anna}_MThumb.jpg"
    m365.tenant.picture_folder.files[name.casefold()] = File(name, b"x", "e", now, now, "u")

    shown = sim(m365, "GET", "/users/anna@contoso.com")

    assert shown["photo"]["sha256"] == hashlib.sha256(photo).hexdigest()
    assert (shown["photo"]["contentType"], shown["photo"]["width"]) == ("image/png", 700)
    assert shown["profile"] == {}
    assert [file["path"] for file in shown["files"]] == [f"/User Photos/Profile Pictures/{name}"]
    everyone = sim(m365, "GET", "/users")["users"]
    assert [(user["id"], user["userType"]) for user in everyone] == [
        (anna, "Member"),
        (guest, "Guest"),
    ]


def test_seeds_can_be_what_graph_would_refuse(m365: Cloud):
    """A broken photo is kept as it is, for the product to meet."""
    (user,) = sim(m365, "POST", "/users", {"userPrincipalName": "anna@contoso.com"})["ids"]
    broken = {"content": base64.b64encode(b"no image").decode(), "contentType": "image/jpeg"}

    shown = sim(m365, "PATCH", f"/users/{user}", {"photo": broken, "mailbox": "online"})

    assert shown["photo"]["bytes"] == 8


def test_seeded_files_are_those_of_an_earlier_sync(m365: Cloud):
    """Files go to the folder of pictures, and a UPN's family of names is found too."""
    content = base64.b64encode(b"old").decode()
    seed = {
        "userPrincipalName": "anne.o'brien@contoso.com",
        "profile": {"PictureURL": "https://x/anne_o_brien_contoso_com_MThumb.jpg"},
        "files": {"anne_o_brien_contoso_com_MThumb.jpg": content},
    }
    (user,) = sim(m365, "POST", "/users", seed)["ids"]

    shown = sim(m365, "GET", f"/users/{user}")

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
    """400, and nobody is added."""
    m365.add_user("there")
    assert refused(m365, "POST", "/users", seed) == 400
    assert len(m365.tenant.users) == 1


def test_many_users_at_once(m365: Cloud):
    """`count` makes a large tenant."""
    assert len(sim(m365, "POST", "/users", {"count": 50})["ids"]) == 50
    assert len(m365.tenant.users) == 50


def test_groups(m365: Cloud):
    """Members by id or UPN; an unknown one is a 404."""
    user = m365.add_user("anna")
    seed = {"members": ["anna@contoso.com"], "displayName": "Pilot"}
    (group,) = sim(m365, "POST", "/groups", seed)["ids"]
    told = {**seed, "id": group, "members": [user.id], "visibility": None}
    assert sim(m365, "GET", "/groups") == {"groups": [told]}
    sim(m365, "DELETE", f"/groups/{group}")
    assert sim(m365, "GET", "/groups") == {"groups": []}
    assert refused(m365, "POST", "/groups", {"members": ["nobody@contoso.com"]}) == 404


def test_switches_are_set_by_name(m365: Cloud):
    """camelCase, checked; the folder of pictures is renamed with one."""
    wanted = {
        "missingPhoto": "1x1",
        "notificationsLost": 1,
        "lockedProperties": ["PictureURL"],
        "pictureFolder": "Profilbilder",
    }
    shown = sim(m365, "POST", "/switches", wanted)

    assert {name: shown[name] for name in wanted} == wanted
    assert m365.tenant.switches.missing_photo == "1x1"
    assert m365.tenant.folder("/User Photos/Profilbilder") is not None
    assert sim(m365, "GET", "/switches") == shown


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
def test_switches_nobody_has_are_refused(m365: Cloud, switches: dict[str, Any]):
    """400, and every switch stays."""
    before = sim(m365, "GET", "/switches")
    assert refused(m365, "POST", "/switches", switches) == 400
    assert sim(m365, "GET", "/switches") == before


def test_latency_and_faults_are_set_and_cleared(m365: Cloud):
    """What was ordered is shown; DELETE ends all faults."""
    latency = sim(m365, "POST", "/latency", {"graph": 5, "sharepoint": {"ms": 1, "jitterMs": 2}})
    orders = [
        {"service": "sharepoint", "rate": 0.1, "kinds": ["429"], "seed": 3},
        {"service": "graph", "method": "GET", "path": "/photo$", "next": 2, "fault": "half"},
    ]
    faults = sim(m365, "POST", "/faults", orders)

    assert latency["graph"] == {"ms": 5.0, "jitterMs": 0.0}
    assert faults["odds"]["sharepoint"]["rate"] == 0.1
    assert faults["next"][0]["next"] == 2
    assert sim(m365, "DELETE", "/faults") == {"odds": {}, "next": []}
    assert refused(m365, "POST", "/faults", {"service": "graph", "fault": "odd"}) == 400
    assert (
        refused(m365, "POST", "/faults", {"service": "graph", "fault": "429", "path": "("}) == 400
    )
    assert refused(m365, "POST", "/latency", {"teams": 5}) == 400


def test_the_journal_is_read_from_a_number_on(m365: Cloud):
    """`last` is where the next reading starts; filters do not change it."""
    user = m365.add_user("anna")
    with m365.session(m365.tenant.urls.graph) as graph:
        start = sim(m365, "GET", "/journal")["last"]
        graph.get(f"{m365.tenant.urls.graph}/v1.0/users/{user.id}")
        graph.get(f"{m365.tenant.urls.graph}/v1.0/users")

    everything = sim(m365, "GET", f"/journal?after={start}")
    of_anna = sim(m365, "GET", f"/journal?after={start}&service=graph&userId={user.id}")

    assert [entry["n"] for entry in everything["entries"]] == [start + 1, start + 2]
    assert [entry["n"] for entry in of_anna["entries"]] == [start + 1]
    assert of_anna["last"] == everything["last"] == start + 2


def test_time_passes_on_demand(m365: Cloud):
    """A moved clock lets subscriptions grow old, and never runs backwards."""
    now = m365.tenant.now()
    one = Subscription("1", "app", "users", "updated", "https://x", now + timedelta(hours=1))
    m365.tenant.subscriptions[one.id] = one
    before = sim(m365, "GET", "/subscriptions")["subscriptions"]

    sim(m365, "POST", "/clock", {"advanceSeconds": 3601})

    assert [entry["id"] for entry in before] == [one.id]
    assert sim(m365, "GET", "/subscriptions") == {"subscriptions": []}
    assert refused(m365, "POST", "/clock", {"advanceSeconds": -1}) == 400


def test_reset_forgets_all_but_apps_and_journal(m365: Cloud):
    """Numbers of the journal never start again."""
    m365.add_user("anna")
    m365.tenant.switches.missing_photo = "1x1"
    sim(m365, "POST", "/latency", {"graph": 5})
    m365.token(m365.tenant.urls.graph)

    last = sim(m365, "POST", "/reset")["last"]

    assert sim(m365, "GET", "/users") == {"users": []}
    assert sim(m365, "GET", "/latency") == {}
    assert sim(m365, "GET", "/switches")["missingPhoto"] == "404"
    assert last == sim(m365, "GET", "/journal")["last"] > 0
    assert m365.token(m365.tenant.urls.graph)


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/faults", {"service": "graph", "kind": "429"}),
        ("/faults", {"service": "graph", "kinds": ["429"]}),
        ("/faults", {"service": "graph", "fault": "429", "rate": 1}),
        ("/faults", {"service": "graph", "fault": "429", "times": 2}),
        ("/faults", {"service": "graph", "fault": "429", "next": 0}),
        ("/faults", ["429"]),
        ("/latency", {"graph": {"ms": 5, "jitter": 1}}),
        ("/latency", {"graph": 5, "teams": 5}),
        ("/users", {"count": 5, "profile": None}),
        ("/groups", {"member": []}),
        ("/notify", {"user": "there@contoso.com", "count": 5}),
        ("/lifecycle", {"event": "missed", "subscription": "1"}),
        ("/clock", {"advanceSeconds": 1, "advanceHours": 1}),
        ("/reset", {"users": True}),
    ],
)
def test_orders_with_an_unknown_key_are_refused(m365: Cloud, path: str, order: object):
    """What would be passed over is a 400, and nothing of the order is done."""
    m365.add_user("there")
    before = [sim(m365, "GET", path) for path in ("/faults", "/latency", "/groups")]

    assert refused(m365, "POST", path, order) == 400

    assert [sim(m365, "GET", path) for path in ("/faults", "/latency", "/groups")] == before
    assert len(m365.tenant.users) == 1
    assert m365.tenant.skew == timedelta()


def test_the_journal_is_not_narrowed_by_an_unknown_name(m365: Cloud):
    """A misspelt filter would answer with everything."""
    assert refused(m365, "GET", "/journal?userid=1") == 400


def test_requests_that_name_nothing_are_refused(m365: Cloud):
    """404 for what is not there, 400 for what is not understood."""
    assert refused(m365, "GET", "/users/nobody@contoso.com") == 404
    assert refused(m365, "POST", "/notify", {}) == 400
    assert refused(m365, "POST", "/lifecycle", {"event": "party"}) == 400
    assert refused(m365, "POST", "/lifecycle", {"event": "missed"}) == 404
