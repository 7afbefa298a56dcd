"""Faults around the app: certificate, folder, user, clock, storage and settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

import shared.storage.azure
from local.cloud.certificates import make_client_certificate
from local.m365.tenant.records import Photo
from shared import runtime
from shared.doctor.doctor import NAME, Doctor, unopened
from shared.doctor.microsoft365_checks import CHECKS, FILES, GRAPH, PROFILES
from shared.errors import SettingsError
from tests.doubles.memory_documents import MemoryDocuments
from tests.doubles.office import Clock
from tests.shared.doctor.clinic import Clinic
from tests.shared.microsoft365.test_certificates import OURS
from tests.shared.settings.test_app import NO_STORAGE


def test_expired_certificate(clinic: Clinic, tmp_path: Path):
    """An expired certificate is reported, and so is Entra's refusal."""
    path = tmp_path / "expired.pem"
    path.write_text(OURS.pem)
    clinic.register(certificate=OURS.certificate)
    examined = clinic.examine({"CLIENT_CERTIFICATE": str(path)})

    assert examined.causes == ["certificate", GRAPH, FILES, PROFILES]
    assert "expired on" in examined.of("certificate").detail
    assert "AADSTS700027" in examined.of(GRAPH).detail
    assert "has not expired" in examined.of(GRAPH).action


def test_unknown_certificate(clinic: Clinic, tmp_path: Path):
    """Entra refuses a valid certificate that was never uploaded."""
    path = make_client_certificate(tmp_path, "other")
    examined = clinic.examine({"CLIENT_CERTIFICATE": str(path)})

    assert examined.causes == [GRAPH, FILES, PROFILES]
    assert "Upload the public part" in examined.of(FILES).action


def test_opaque_token(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """A token without readable claims is reported for each host."""
    monkeypatch.setattr("shared.microsoft365.tokens.EntraTokens.bearer", lambda *_, **__: "opaque")
    examined = clinic.examine()

    assert examined.causes == [GRAPH, FILES, PROFILES]
    assert "cannot be parsed" in examined.of(GRAPH).detail


@pytest.mark.parametrize(
    ("folders", "setting", "causes", "detail"),
    [
        (["Profilbilder"], "", [], '"Profilbilder"'),
        (["Profilbilder"], "Profilbilder", [], '"Profilbilder"'),
        (["Profilbilder"], "PROFILBILDER", [], '"PROFILBILDER"'),
        (["Profilbilder"], "Profile Pictures", ["picture folder"], "its folders: Profilbilder"),
        (["Kuvat", "Muut"], "", ["picture folder"], "2 folders"),
    ],
)
def test_picture_folder(clinic: Clinic, folders, setting, causes, detail):
    """A folder in another language is found; a wrong PICTURE_FOLDER and several are reported."""
    clinic.tenant.name_picture_folder(folders[0])
    for folder in folders[1:]:
        clinic.tenant.home.add_folder(f"/User Photos/{folder}")
    examined = clinic.examine({"PICTURE_FOLDER": setting})

    assert examined.causes == causes
    assert detail in examined.of("picture folder").detail


def test_user_with_photo_and_profile(clinic: Clinic):
    """The checked user may have a photo and a profile, or neither."""
    [user] = clinic.tenant.users.values()
    assert clinic.examine().of("read a photo").detail.endswith("has none.")
    assert clinic.examine().of("read a profile").detail == "Profiles can be read."
    user.profile = None
    assert clinic.examine().of("read a profile").detail.endswith("has none yet.")
    user.photo = Photo(b"photo", "image/jpeg", 8, 8, 'W/"1"', clinic.tenant.now())
    assert clinic.examine().of("read a photo").detail == "Photos can be read."


def test_user_of_another_my_site_host(clinic: Clinic):
    """A personal site on another host is named, together with SHAREPOINT_MY_URL."""
    for user in clinic.tenant.users.values():
        user.personal_host = "https://fabrikam-my.sharepoint.com/"
    found = clinic.examine().of("read a profile")

    assert "fabrikam-my.sharepoint.com" in found.detail
    assert "SHAREPOINT_MY_URL" in found.action


def test_empty_tenant(clinic: Clinic):
    """An empty tenant has no user to check with."""
    clinic.tenant.reset()
    clinic.subscribe(clinic.env["WEBHOOK_URL"])
    examined = clinic.examine()

    assert examined.causes == ["list users"]
    assert "TENANT_ID" in examined.of("list users").action
    assert examined.wrong == ["list users", "read a photo", "read a profile"]


def test_clock_skew(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """Two minutes are reported, and no other check fails because of them."""
    monkeypatch.setattr(runtime, "_now", lambda: datetime.now(UTC) + timedelta(minutes=2))
    examined = clinic.examine()

    assert examined.causes == ["clock"]
    assert "Set the clock" in examined.of("clock").action


def test_storage_down(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """If storage is down, all other checks still run."""
    # The retries of the storage client are not under test.
    monkeypatch.setitem(shared.storage.azure._RETRIES, "retry_total", 0)
    examined = clinic.examine({"AzureWebJobsStorage": NO_STORAGE})

    assert examined.causes == examined.wrong == ["storage"]
    assert "can reach the storage account" in examined.of("storage").action


def test_storage_refuses(clinic: Clinic):
    """If storage refuses the key, the roles that an identity needs are named."""
    parts = dict(part.split("=", 1) for part in clinic.env["AzureWebJobsStorage"].split(";"))
    wrong = ";".join(f"{key}={value}" for key, value in {**parts, "AccountKey": "d3Jvbmc="}.items())
    examined = clinic.examine({"AzureWebJobsStorage": wrong})

    assert examined.causes == ["storage"]
    assert "Storage Blob Data Owner" in examined.of("storage").action


@pytest.mark.parametrize("setting", ["TENANT_ID", "CLIENT_CERTIFICATE", "SHAREPOINT_TENANT"])
def test_missing_setting(clinic: Clinic, setting: str):
    """A missing setting is named and storage is still checked; the other checks cannot run."""
    examined = clinic.examine({setting: ""})

    assert examined.causes == ["settings"]
    assert setting in examined.of("settings").detail
    assert examined.of("storage").ok
    assert examined.wrong == ["settings", *CHECKS]


def test_deleted_certificate(clinic: Clinic, tmp_path: Path):
    """A certificate file that was deleted since the start counts as a wrong setting."""
    path = make_client_certificate(tmp_path, "going")
    doctor = runtime.build({**clinic.env, "CLIENT_CERTIFICATE": str(path)}).doctor
    path.unlink()
    [first, *_] = doctor.examine()["checks"]

    assert (first["name"], first["ok"]) == ("settings", False)
    assert "no such file" in first["detail"]


def test_no_storage_at_all():
    """Without storage settings the doctor still answers."""
    error = SettingsError("AzureWebJobsStorage is missing.")
    report = Doctor(unopened(error), None, clock=Clock()).examine()

    assert not report["ok"]
    assert report["checks"][0]["detail"] == str(error)
    assert [check["ok"] for check in report["checks"]] == [False] * (len(CHECKS) + 2)


def test_two_examinations_at_once():
    """Losing the race for the document proves that it can be written."""
    documents = MemoryDocuments()
    documents.at_read.append(lambda: documents.put(NAME, {}))
    opened: Any = SimpleNamespace(documents=documents, lengths=lambda: {"photo-sync": 3})
    report = Doctor(unopened(SettingsError("Bad.")), opened, clock=Clock()).examine()
    storage = report["checks"][1]

    assert (storage["name"], storage["ok"]) == ("storage", True)
    assert "3 in photo-sync" in storage["detail"]


def test_third_examination_at_once():
    """A third concurrent examination is rejected, since each may block a thread for a minute."""
    second: list[dict[str, Any]] = []

    def enter() -> NoReturn:
        # In the second, this is the third.
        second.append(doctor.examine())
        raise SettingsError("Bad.")

    doctor = Doctor(enter, None, clock=Clock())
    assert doctor.examine()["checks"][0]["detail"] == "Bad."
    [report] = second
    assert "Try again" in report["checks"][0]["detail"]
