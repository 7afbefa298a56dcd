"""What the bench posts to the webhook is what Graph would."""

from __future__ import annotations

from datetime import UTC, datetime

from local.bench.webhook.posts import notifications
from shared.settings.webhook import WebhookSettings
from shared.webhook.notifications import Accepted, accept

TENANT = "00000000-0000-4000-8000-000000000001"


def test_every_item_is_about_another_user_and_accepted():
    """None is ignored or merged: a POST of a hundred is the work of a hundred."""
    body = notifications(100, tenant_id=TENANT, client_state="secret")
    found = accept(
        body, WebhookSettings(TENANT, "secret"), now=datetime.now(UTC), new_id=lambda: "1"
    )

    assert isinstance(found, Accepted)
    assert found.users == 100
    assert not found.ignored
