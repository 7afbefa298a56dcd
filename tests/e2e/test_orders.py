"""The history of orders on the running stack: by key over HTTP, and typed into a queue."""

from __future__ import annotations

from typing import Any

from tests.e2e.cloud import LiveCloud
from tests.e2e.test_console_routes import call, named


def history(cloud: LiveCloud, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(cloud, "GET", f"history{query}").json()["orders"]
    return found


def test_replays_by_key_and_queue(cloud: LiveCloud):
    """The history of a user lists both, with their results, and no one else's orders."""
    user_id, upn = cloud.add_unnotified(3)
    cloud.settled(user_id, queue=upn)
    reply = call(cloud, "POST", named("users/{user}/replay", upn), json={"force": True})
    run = reply.json()["correlationId"]

    def ended() -> bool:
        orders = history(cloud, f"?user={user_id}")
        return len(orders) == 2 and all(one["result"] for one in orders)

    cloud.wait_for(ended)
    by_key, typed = history(cloud, f"?user={upn}")

    assert (by_key["by"], by_key["correlationId"]) == ({"via": "key"}, run)
    assert (by_key["order"], by_key["options"], by_key["result"]) == ("replay", "force", "synced")
    assert (typed["by"], typed["order"], typed["result"]) == ({"via": "queue"}, "replay", "synced")
    assert [(one["userId"], one["userPrincipalName"]) for one in (by_key, typed)] == [
        (user_id, upn)
    ] * 2


def test_sweep_by_timer_key_and_queue(cloud: LiveCloud):
    """A timer's sweep is no order; sweeps by key and by queue are, each with its sweep's id."""
    before = len(history(cloud))
    cloud.run("sweep_timer")
    cloud.watcher.until(list)
    call(cloud, "POST", "sweep", json={})
    cloud.watcher.until(list)
    cloud.watcher.type_into_queue("sweep", "photo-upkeep")
    cloud.wait_for(lambda: len(history(cloud)) == before + 2)
    cloud.wait_for(lambda: all(one["result"] for one in history(cloud)))
    cloud.watcher.until(list)

    typed, by_key = history(cloud)[:2]
    assert [(one["by"]["via"], one["order"], one["result"]) for one in (typed, by_key)] == [
        ("queue", "sweep", "finished"),
        ("key", "sweep", "finished"),
    ]
    assert typed["detail"] == cloud.watcher.sweep()["id"]


def test_refused_order(cloud: LiveCloud):
    """A replay of an unknown user is refused, and the history lists it with the refusal."""
    call(cloud, "POST", named("users/{user}/replay", "gone@contoso.com"), json={})

    [refused] = history(cloud, "?user=gone@contoso.com")
    assert (refused["order"], refused["result"]) == ("replay", "refused")
    assert "no such user" in refused["detail"]
