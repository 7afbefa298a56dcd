"""The settings of subscription, sweep, removal, budget and dry run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import SettingsError
from shared.settings.app import AuditSettings, Settings
from tests.shared.settings.test_app import ENOUGH

GROUP = "0C000000-0000-4000-8000-00000000000A"
URL = "https://photosync.contoso.com/api/notifications?code=a%2Fkey=="


def read(**changed: str) -> Settings:
    return Settings.from_mapping({**ENOUGH, **changed})


def test_defaults():
    """Left out: no webhook yet, everybody, removal, a budget, and no dry run."""
    settings = read(WEBHOOK_URL="", SYNC_GROUP_ID="", REMOVED_PHOTO="", DRY_RUN="")

    assert settings.webhook_url == settings.sync_group_id == ""
    assert settings.remove_when_gone
    assert settings.profile_calls == 3000
    assert settings.audit == AuditSettings(repair=True, days=7, share=0.2)
    assert not settings.dry_run


GOOD = [
    ("WEBHOOK_URL", f" {URL} ", "webhook_url", URL),
    ("SYNC_GROUP_ID", GROUP, "sync_group_id", GROUP.lower()),
    ("EXCLUDED_GROUP_ID", GROUP, "excluded_group_id", GROUP.lower()),
    ("REMOVED_PHOTO", "Keep", "remove_when_gone", False),
    ("DRY_RUN", "True", "dry_run", True),
    ("PROFILE_CALLS_PER_5_MINUTES", "0", "profile_calls", 0),
    ("FORGET_AFTER_DAYS", "0", "forget_after", None),
    ("FORGET_AFTER_DAYS", " 9999 ", "forget_after", timedelta(days=9999)),
    ("PROFILE_CALLS_PER_5_MINUTES", " 120 ", "profile_calls", 120),
]


@pytest.mark.parametrize(("key", "text", "field", "value"), GOOD)
def test_good(key, text, field, value):
    """Each is read as it is meant, with spaces around it and in any case."""
    assert getattr(read(**{key: text}), field) == value


@pytest.mark.parametrize(
    ("key", "text", "meant"),
    [
        ("AUDIT", "Report", AuditSettings(False, 7, 0.2)),
        ("AUDIT_DAYS", "0", AuditSettings(True, 0, 0.2)),
        ("AUDIT_DAYS", "30", AuditSettings(True, 30, 0.2)),
        ("AUDIT_SHARE", "1", AuditSettings(True, 7, 1.0)),
        ("AUDIT_SHARE", " .05 ", AuditSettings(True, 7, 0.05)),
    ],
)
def test_audit(key, text, meant):
    """Those of audits stand together."""
    assert read(**{key: text}).audit == meant


BAD = [
    ("WEBHOOK_URL", "http://photosync.contoso.com/api/notifications?code=secret"),
    ("WEBHOOK_URL", "https://photosync.contoso.com"),
    ("WEBHOOK_URL", "https://user:secret@photosync.contoso.com/api/notifications"),
    ("WEBHOOK_URL", "https://photosync.contoso.com/api/notifications?code=secret#top"),
    ("WEBHOOK_URL", "https://photosync.contoso.com/api/notifications?code=se cret"),
    ("SYNC_GROUP_ID", "secret"),
    ("REMOVED_PHOTO", "secret"),
    ("DRY_RUN", "secret"),
    ("FORGET_AFTER_DAYS", "-1"),
    ("FORGET_AFTER_DAYS", "a month"),
    ("FORGET_AFTER_DAYS", "10000"),
    ("PROFILE_CALLS_PER_5_MINUTES", "-1"),
    ("PROFILE_CALLS_PER_5_MINUTES", "1.5"),
    ("PROFILE_CALLS_PER_5_MINUTES", "many"),
    ("PROFILE_CALLS_PER_5_MINUTES", "٣"),
    ("PROFILE_CALLS_PER_5_MINUTES", "9" * 5000),
    ("AUDIT", "secret"),
    ("AUDIT_DAYS", "31"),
    ("AUDIT_DAYS", "0.5"),
    ("AUDIT_SHARE", "0"),
    ("AUDIT_SHARE", "0.0"),
    ("AUDIT_SHARE", "1.1"),
    ("AUDIT_SHARE", "20 %"),
    ("AUDIT_SHARE", "nan"),
    ("AUDIT_SHARE", "٠.٢"),
]


@pytest.mark.parametrize(("key", "text"), BAD)
def test_bad(key, text):
    """What is wrong is named without what it was."""
    with pytest.raises(SettingsError, match=key) as caught:
        read(**{key: text})

    assert "secret" not in str(caught.value)


def test_key_of_the_webhook_is_not_printed():
    """The webhook's address holds a key."""
    assert "a%2Fkey" not in repr(read(WEBHOOK_URL=URL))
