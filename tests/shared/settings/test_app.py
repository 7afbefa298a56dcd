"""App settings: how they are read, what is refused, and what a refusal may show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.settings.app import AuditSettings, Settings
from shared.settings.webhook import WebhookSettings

GUID = "6f1f7c7e-3a51-4f0e-9d6e-0d5b0c0f5a10"
ENOUGH = {
    "TENANT_ID": GUID,
    "CLIENT_ID": GUID,
    "CLIENT_CERTIFICATE": "photosync.pem",
    "SHAREPOINT_TENANT": "contoso",
    "CLIENT_STATE": "a long and random text",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}
# Nothing listens at port 1.
NO_STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=photosync;AccountKey=a2V5;"
    "BlobEndpoint=http://127.0.0.1:1/photosync;QueueEndpoint=http://127.0.0.1:1/photosync"
)
WEBHOOK = "https://photosync.contoso.com/api/notifications?code=a%2Fkey=="


def read(**more: str) -> Settings:
    return Settings.from_mapping({**ENOUGH, **more})


@pytest.mark.parametrize(
    "empty", [{}, dict.fromkeys(("WEBHOOK_URL", "SYNC_GROUP_ID", "REMOVED_PHOTO", "DRY_RUN"), "")]
)
def test_defaults(empty):
    """An absent or empty setting has the meaning that docs/settings.md gives it."""
    settings = read(**empty)

    assert settings.login_url == "https://login.microsoftonline.com"
    assert settings.graph_url == "https://graph.microsoft.com"
    assert settings.sharepoint_my_url == "https://contoso-my.sharepoint.com"
    assert settings.sharepoint_admin_url == "https://contoso-admin.sharepoint.com"
    assert settings.webhook_url == ""
    assert settings.picture_sizes == (48, 72, 300)
    assert settings.picture_sync_state == "1"
    assert settings.picture_folder == ""
    assert settings.replace_custom_picture is False
    assert settings.excluded_users == frozenset()
    assert settings.include_guests is False
    assert settings.remove_when_gone is True
    assert settings.forget_after == timedelta(days=30)
    assert settings.sync_group_id == settings.excluded_group_id == ""
    assert settings.profile_calls == 3000
    assert settings.audit == AuditSettings(repair=True, days=7, share=0.2)
    assert settings.dry_run is False


@pytest.mark.parametrize("left_out", [{}, dict.fromkeys(ENOUGH, " ")], ids=["absent", "blank"])
def test_every_missing_setting_is_named_at_once(left_out):
    """One message names every required setting that is missing."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping(left_out)

    assert [key for key in ENOUGH if f"{key} is missing" not in str(caught.value)] == []


BAD = [
    ("TENANT_ID", "contoso.com"),
    ("CLIENT_ID", "PhotoSync app"),
    ("MANAGED_IDENTITY_CLIENT_ID", "my-identity"),
    ("SHAREPOINT_TENANT", "contoso.sharepoint.com"),
    ("SHAREPOINT_TENANT", "{tenant}"),
    ("SHAREPOINT_TENANT", "c{"),
    ("M365_CLOUD", "germany"),
    ("LOGIN_URL", "http://login.contoso.com"),
    ("GRAPH_URL", "https://graph.contoso.com/v1.0"),
    ("GRAPH_URL", "https://[graph"),
    ("SHAREPOINT_MY_URL", "https://localhost:99999"),
    ("SHAREPOINT_MY_URL", "https://localhost:0"),
    ("SHAREPOINT_ADMIN_URL", "https://anne@contoso-admin.sharepoint.com"),
    ("SHAREPOINT_GEOS", "https://contosoeur-my.sharepoint.com"),
    ("SHAREPOINT_GEOS", "contosoeur-my"),
    ("SHAREPOINT_GEOS", "contosoeur,fabrikamdach-admin"),
    ("SHAREPOINT_GEOS", "contosoeur fabrikamdach"),
    ("SHAREPOINT_GEOS", "contosoeur.sharepoint.com"),
    ("CLIENT_STATE", "abcdefgh" * 17),
    ("CLIENT_STATE", "abcdefghijklmnopqrs"),
    ("CLIENT_STATE", "abcdefg" * 10),
    ("PICTURE_SIZES", "48,72"),
    ("PICTURE_SIZES", "48,72,300,400"),
    ("PICTURE_SIZES", "300,72,48"),
    ("PICTURE_SIZES", "0,72,300"),
    ("PICTURE_SIZES", "48,72,649"),
    ("PICTURE_SIZES", "48,72,large"),
    ("PICTURE_SYNC_STATE", "2"),
    ("PICTURE_FOLDER", "Profile Pictures/Old"),
    ("PICTURE_FOLDER", ".."),
    ("CUSTOM_PICTURE", "overwrite"),
    ("INCLUDE_GUESTS", "yes"),
    ("WEBHOOK_URL", "http://photosync.contoso.com/api/notifications?code=secret"),
    ("WEBHOOK_URL", "https://photosync.contoso.com"),
    ("WEBHOOK_URL", "https://user:secret@photosync.contoso.com/api/notifications"),
    ("WEBHOOK_URL", "https://photosync.contoso.com/api/notifications?code=secret#top"),
    ("WEBHOOK_URL", "https://photosync.contoso.com/api/notifications?code=se cret"),
    ("PROFILE_CALLS_PER_5_MINUTES", "-1"),
    ("PROFILE_CALLS_PER_5_MINUTES", "1.5"),
    ("PROFILE_CALLS_PER_5_MINUTES", "٣"),
    ("PROFILE_CALLS_PER_5_MINUTES", "9" * 5000),
    ("FORGET_AFTER_DAYS", "-1"),
    ("FORGET_AFTER_DAYS", "10000"),
    ("AUDIT", "secret"),
    ("AUDIT_DAYS", "31"),
    ("AUDIT_DAYS", "0.5"),
    ("AUDIT_SHARE", "0"),
    ("AUDIT_SHARE", "1.1"),
    ("AUDIT_SHARE", "20 %"),
    ("AUDIT_SHARE", "nan"),
    ("AUDIT_SHARE", "٠.٢"),
    ("REMOVED_PHOTO", "secret"),
    ("SYNC_GROUP_ID", "secret"),
    ("EXCLUDED_GROUP_ID", "Nobody"),
    ("DRY_RUN", "secret"),
    ("CONSOLE_SIGN_IN", "PhotoSync console"),
    ("CONSOLE_KEYS", "no"),
]


@pytest.mark.parametrize(("key", "value"), BAD, ids=[f"{k}={v[:30]}" for k, v in BAD])
def test_bad_setting_is_named(key, value):
    """An unusable setting is refused by name, without its value."""
    with pytest.raises(SettingsError, match=f"{key} must be ") as caught:
        read(**{key: value})

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", sorted({key for key, _ in BAD}))
def test_bad_setting_is_not_shown(key):
    """A secret pasted under the wrong name does not reach the log."""
    with pytest.raises(SettingsError) as caught:
        read(**{key: "/geheim {}" * 20})

    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "state", ["KEY-of-the-webhook==", "2026KEY-of-the-webhook=="], ids=["the same", "more"]
)
def test_client_state_must_not_contain_the_key(state):
    """Graph and anyone else with the webhook's address must not be able to forge notifications."""
    code = "KEY-of-the-webhook%3D%3D"
    address = f"https://photosync.contoso.com/api/notifications?code={code}"
    with pytest.raises(SettingsError, match="CLIENT_STATE must not contain the key in WEBHOOK_URL"):
        read(CLIENT_STATE=state, WEBHOOK_URL=address)

    assert read(CLIENT_STATE="a long and random text", WEBHOOK_URL=address).webhook_url == address
    assert read(CLIENT_STATE=state, WEBHOOK_URL=address.partition("?")[0]).client_state == state


GOOD = [
    ("PICTURE_SIZES", " 48, 96 ,240 ", "picture_sizes", (48, 96, 240)),
    ("PICTURE_SYNC_STATE", "0", "picture_sync_state", "0"),
    ("PICTURE_FOLDER", "Profilbilder", "picture_folder", "Profilbilder"),
    (
        "SHAREPOINT_GEOS",
        " FabrikamDACH, ,contosoeur,contoso,fabrikamdach",
        "sharepoint_geos",
        ("fabrikamdach", "contosoeur"),
    ),
    ("CUSTOM_PICTURE", "Replace", "replace_custom_picture", True),
    ("INCLUDE_GUESTS", "TRUE", "include_guests", True),
    ("GRAPH_URL", "https://localhost:7001/", "graph_url", "https://localhost:7001"),
    ("WEBHOOK_URL", f" {WEBHOOK} ", "webhook_url", WEBHOOK),
    ("SYNC_GROUP_ID", GUID.upper(), "sync_group_id", GUID),
    ("EXCLUDED_GROUP_ID", GUID.upper(), "excluded_group_id", GUID),
    ("REMOVED_PHOTO", "Keep", "remove_when_gone", False),
    ("DRY_RUN", "True", "dry_run", True),
    ("PROFILE_CALLS_PER_5_MINUTES", "0", "profile_calls", 0),
    ("PROFILE_CALLS_PER_5_MINUTES", " 120 ", "profile_calls", 120),
    ("FORGET_AFTER_DAYS", "0", "forget_after", None),
    ("FORGET_AFTER_DAYS", " 9999 ", "forget_after", timedelta(days=9999)),
    ("AUDIT", "Report", "audit", AuditSettings(False, 7, 0.2)),
    ("AUDIT_DAYS", "0", "audit", AuditSettings(True, 0, 0.2)),
    ("AUDIT_DAYS", "30", "audit", AuditSettings(True, 30, 0.2)),
    ("AUDIT_SHARE", "1", "audit", AuditSettings(True, 7, 1.0)),
    ("AUDIT_SHARE", " .05 ", "audit", AuditSettings(True, 7, 0.05)),
    ("CLIENT_CERTIFICATE", " a.pem ", "client_certificate", "a.pem"),
    (
        "EXCLUDED_USERS",
        "Anne@contoso.com, ,BERT@contoso.com",
        "excluded_users",
        frozenset({"anne@contoso.com", "bert@contoso.com"}),
    ),
]


@pytest.mark.parametrize(("key", "text", "field", "meaning"), GOOD)
def test_text_becomes_value(key, text, field, meaning):
    """Spaces around a value and its case make no difference."""
    assert getattr(read(**{key: text}), field) == meaning


CLOUDS = {
    "usgov": "login.microsoftonline.us graph.microsoft.us contoso-my.sharepoint.us",
    "dod": "login.microsoftonline.us dod-graph.microsoft.us contoso-my.sharepoint-mil.us",
    "china": "login.chinacloudapi.cn microsoftgraph.chinacloudapi.cn contoso-my.sharepoint.cn",
}


@pytest.mark.parametrize(("cloud", "hosts"), CLOUDS.items())
def test_cloud_decides_the_hosts(cloud, hosts):
    """M365_CLOUD alone moves every host into the national cloud."""
    settings = read(M365_CLOUD=cloud)

    found = (settings.login_url, settings.graph_url, settings.sharepoint_my_url)
    assert found == tuple(f"https://{host}" for host in hosts.split())


def test_managed_identity_needs_no_certificate():
    """With a managed identity, CLIENT_ID and CLIENT_CERTIFICATE may be missing."""
    settings = read(CLIENT_ID="", CLIENT_CERTIFICATE="", MANAGED_IDENTITY_CLIENT_ID=GUID)

    assert settings.managed_identity_client_id == GUID


@pytest.mark.parametrize(
    ("storage", "enough"),
    [
        ({"__blobServiceUri": "https://b", "__queueServiceUri": "https://q"}, True),
        ({"__blobServiceUri": "https://b"}, False),
        ({"__queueServiceUri": "https://q"}, False),
    ],
    ids=["both", "blob only", "queue only"],
)
def test_storage_by_addresses(storage, enough):
    """Storage is either a connection string or both addresses."""
    named = {f"AzureWebJobsStorage{suffix}": uri for suffix, uri in storage.items()}
    env = {**ENOUGH, "AzureWebJobsStorage": "", **named}
    if enough:
        assert Settings.from_mapping(env).storage.queue_uri == "https://q"
    else:
        with pytest.raises(SettingsError, match="AzureWebJobsStorage is missing"):
            Settings.from_mapping(env)


def test_secrets_are_not_printed():
    """Printing the settings shows no certificate, connection string, key or clientState."""
    secrets = {"CLIENT_CERTIFICATE": "secret-1", "AzureWebJobsStorage": "secret-2"}
    webhook = WebhookSettings.from_mapping({"CLIENT_STATE": "secret-3"})
    printed = f"{read(**secrets, WEBHOOK_URL=WEBHOOK)!r} {webhook!r}"

    assert "secret" not in printed
    assert "a%2Fkey" not in printed


@given(st.dictionaries(st.sampled_from([key for key, _ in BAD] + list(ENOUGH)), st.text()))
def test_any_text_is_understood_or_refused(env):
    """Any text gives Settings or a SettingsError, and no other error."""
    try:
        settings = Settings.from_mapping({**ENOUGH, **env})
    except SettingsError as error:
        assert str(error).startswith("Fix these app settings")  # noqa: PT017 - some raise nothing
    else:
        assert settings.graph_url.startswith("https://")


@given(st.dictionaries(st.sampled_from(["TENANT_ID", "CLIENT_STATE"]), st.text()))
def test_webhook_settings_never_fail(env):
    """The webhook's two settings are stripped, and no text makes reading them fail."""
    settings = WebhookSettings.from_mapping(env)

    assert settings.tenant_id == env.get("TENANT_ID", "").strip()
    assert settings.client_state == env.get("CLIENT_STATE", "").strip()
