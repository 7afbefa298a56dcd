"""What is wrong around the app: certificate, folder, subscription, storage, clock, settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

import shared.storage.azure
from local.cloud.certificates import make_client_certificate
from shared import runtime
from shared.doctor.doctor import NAME, Doctor, unopened
from shared.doctor.microsoft365_checks import CHECKS, FILES, GRAPH, PROFILES
from shared.errors import Conflict, SettingsError
from shared.storage.documents import Document
from tests.doubles.memory_documents import MemoryDocuments
from tests.doubles.office import Clock
from tests.shared.doctor.clinic import Clinic

GONE = (
    "DefaultEndpointsProtocol=http;AccountName=photosync;AccountKey=a2V5;"
    "BlobEndpoint=http://127.0.0.1:1/photosync;QueueEndpoint=http://127.0.0.1:1/photosync"
)


def expired(folder: Path) -> Path:
    """A key and its certificate, whose time is over since yesterday."""
    path = make_client_certificate(folder, "expired")
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    sound = x509.load_pem_x509_certificate(path.read_bytes())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(sound.subject)
        .issuer_name(sound.issuer)
        .public_key(sound.public_key())
        .serial_number(sound.serial_number)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, SHA256())
    )
    private = path.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_expired_certificate(clinic: Clinic, tmp_path: Path):
    """A certificate that has expired is told by itself and by Entra's refusal."""
    path = expired(tmp_path)
    clinic.register(x509.load_pem_x509_certificate(path.read_bytes()))
    examined = clinic.examine({"CLIENT_CERTIFICATE": str(path)})

    assert examined.causes == ["certificate", GRAPH, FILES, PROFILES]
    assert "expired on" in examined.of("certificate").detail
    assert "AADSTS700027" in examined.of(GRAPH).detail
    assert "has not expired" in examined.of(GRAPH).action


def test_unknown_certificate(clinic: Clinic, tmp_path: Path):
    """A sound certificate that was never uploaded is Entra's to refuse."""
    path = make_client_certificate(tmp_path, "other")
    examined = clinic.examine({"CLIENT_CERTIFICATE": str(path)})

    assert examined.causes == [GRAPH, FILES, PROFILES]
    assert "Upload the public part" in examined.of(FILES).action


def test_token_that_cannot_be_read(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """Without claims nobody can tell what is missing."""
    monkeypatch.setattr("shared.microsoft365.tokens.EntraTokens.bearer", lambda *_, **__: "opaque")
    examined = clinic.examine()

    assert examined.causes == [GRAPH, FILES, PROFILES]
    assert "cannot be parsed" in examined.of(GRAPH).detail


@pytest.mark.parametrize("setting", ["", "Profilbilder", "PROFILBILDER"])
def test_localized_folder(clinic: Clinic, setting: str):
    """The folder is found under its name in another language, and told."""
    clinic.tenant.name_picture_folder("Profilbilder")
    examined = clinic.examine({"PICTURE_FOLDER": setting})

    assert examined.ok
    assert f'"{setting or "Profilbilder"}"' in examined.of("picture folder").detail


def test_folder_of_another_language(clinic: Clinic):
    """PICTURE_FOLDER that does not fit the language is wrong, and the right name is told."""
    clinic.tenant.name_picture_folder("Profilbilder")
    examined = clinic.examine({"PICTURE_FOLDER": "Profile Pictures"})

    assert examined.causes == ["picture folder"]
    assert "its folders: Profilbilder" in examined.of("picture folder").detail


def test_folders_that_nobody_can_tell_apart(clinic: Clinic):
    """With several folders of unknown names a person must choose."""
    clinic.tenant.name_picture_folder("Kuvat")
    clinic.tenant.home.add_folder("/User Photos/Muut")
    examined = clinic.examine()

    assert examined.causes == ["picture folder"]
    assert "2 folders" in examined.of("picture folder").detail


def test_no_subscription(clinic: Clinic):
    """Without a subscription the admin is told how to get one."""
    clinic.tenant.subscriptions = {}
    examined = clinic.examine()

    assert examined.causes == ["subscription"]
    assert "manage.py renew" in examined.of("subscription").action


def test_subscription_of_another(clinic: Clinic):
    """One that points elsewhere is not ours."""
    clinic.subscribe("https://other.contoso.com/api/notifications?code=x")

    assert "other.contoso.com" in clinic.examine().of("subscription").detail


def test_user_with_photo_and_profile(clinic: Clinic):
    """The user tried may have both, or neither: both times it is read."""
    [user] = clinic.tenant.users.values()
    assert clinic.examine().of("read a photo").detail.endswith("has none.")
    assert clinic.examine().of("read a profile").detail == "Profiles can be read."
    user.profile = None
    assert clinic.examine().of("read a profile").detail.endswith("has none yet.")
    clinic.give_photo(user)
    assert clinic.examine().of("read a photo").detail == "Photos can be read."


def test_user_of_another_my_site_host(clinic: Clinic):
    """A personal site on another host than SHAREPOINT_MY_URL names both."""
    for user in clinic.tenant.users.values():
        user.personal_host = "https://fabrikam-my.sharepoint.com/"
    found = clinic.examine().of("read a profile")

    assert "fabrikam-my.sharepoint.com" in found.detail
    assert "SHAREPOINT_MY_URL" in found.action


def test_nobody(clinic: Clinic):
    """An empty tenant leaves nobody to try things with."""
    clinic.tenant.reset()
    clinic.subscribe(clinic.env["WEBHOOK_URL"])
    examined = clinic.examine()

    assert examined.causes == ["list users"]
    assert "TENANT_ID" in examined.of("list users").action
    assert examined.wrong == ["list users", "read a photo", "read a profile"]


@pytest.mark.parametrize("apart", [timedelta(minutes=-2), timedelta(minutes=2)])
def test_clock_skew(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, apart: timedelta):
    """Two minutes either way are told, and nothing else fails for it."""
    monkeypatch.setattr(runtime, "_now", lambda: datetime.now(UTC) + apart)
    examined = clinic.examine()

    assert examined.causes == ["clock"]
    assert "Set the clock" in examined.of("clock").action


def test_storage_down(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """Storage that is down keeps nothing else from being looked at."""
    # The storage client's own patience is not what is asked here.
    monkeypatch.setitem(shared.storage.azure._PATIENCE, "retry_total", 0)
    examined = clinic.examine({"AzureWebJobsStorage": GONE})

    assert examined.causes == examined.wrong == ["storage"]
    assert "can reach the storage account" in examined.of("storage").action


def test_storage_refuses(clinic: Clinic):
    """A key that storage refuses is told with the roles that an identity needs."""
    parts = dict(part.split("=", 1) for part in clinic.env["AzureWebJobsStorage"].split(";"))
    wrong = ";".join(f"{key}={value}" for key, value in {**parts, "AccountKey": "d3Jvbmc="}.items())
    examined = clinic.examine({"AzureWebJobsStorage": wrong})

    assert examined.causes == ["storage"]
    assert "Storage Blob Data Owner" in examined.of("storage").action


@pytest.mark.parametrize("setting", ["TENANT_ID", "CLIENT_CERTIFICATE", "SHAREPOINT_TENANT"])
def test_missing_setting(clinic: Clinic, setting: str):
    """With a setting missing it is named, storage is still looked at, and the rest waits."""
    examined = clinic.examine({setting: ""})

    assert examined.causes == ["settings"]
    assert setting in examined.of("settings").detail
    assert examined.of("storage").ok
    assert examined.wrong == ["settings", *CHECKS]


def test_certificate_that_went_away(clinic: Clinic, tmp_path: Path):
    """A certificate file that is gone since the start is told as a setting."""
    path = make_client_certificate(tmp_path, "going")
    doctor = runtime.build({**clinic.env, "CLIENT_CERTIFICATE": str(path)}).doctor
    path.unlink()
    [first, *_] = doctor.examine()["checks"]

    assert (first["name"], first["ok"]) == ("settings", False)
    assert "no such file" in first["detail"]


def test_no_storage_at_all():
    """With the storage setting missing, too, the doctor still answers."""
    error = SettingsError("AzureWebJobsStorage is missing.")
    told = Doctor(unopened(error), None, clock=Clock()).examine()

    assert not told["ok"]
    assert told["checks"][0]["detail"] == str(error)
    assert [check["ok"] for check in told["checks"]] == [False] * (len(CHECKS) + 2)


class Busy(MemoryDocuments):
    """Another examination writes at the same moment."""

    def write(self, name: str, fields: Mapping[str, Any], *, after: Document | None) -> Document:
        assert name == NAME
        raise Conflict("Another run wrote this blob first.")


class Kept:
    documents = Busy()

    def lengths(self) -> dict[str, int]:
        return {"photo-sync": 3}


def test_two_examinations_at_once():
    """Whoever loses the race for the document has seen that it can be written."""
    told = Doctor(unopened(SettingsError("Bad.")), Kept(), clock=Clock()).examine()
    storage = told["checks"][1]

    assert (storage["name"], storage["ok"]) == ("storage", True)
    assert "3 in photo-sync" in storage["detail"]


def test_third_examination_at_once():
    """Each may take a minute when nobody answers: a third one at once is sent away."""
    second: list[dict[str, Any]] = []

    def enter() -> NoReturn:
        # In the second, this is the third.
        second.append(doctor.examine())
        raise SettingsError("Bad.")

    doctor = Doctor(enter, None, clock=Clock())
    assert doctor.examine()["checks"][0]["detail"] == "Bad."
    [told] = second
    assert "Try again" in told["checks"][0]["detail"]
