"""`acceptance --local` against the simulator: as things are, and with switches turned."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from admin.acceptance import session
from admin.acceptance.steps import csom
from local.m365.tenant import photos
from local.m365.tenant.records import Role, User
from tests.admin.acceptance.conftest import OTHER, USER, Acceptance, fault, give_photo, seen, shown
from tests.admin.command_result import assert_printed
from tests.local.m365.simulator import ADMIN_APP, Cloud

ALL = ("--unlicensed", OTHER, "--yes", "--json", USER)
AS_ASSUMED, DIFFERS, NOT_ASKED = "as assumed", "differs", "could not be asked"


def test_everything_is_as_assumed(acceptance, tenant, anne, bert, tmp_path):
    """Every tested step is as assumed, the rest say why; only the file is left."""
    before = shown(tenant, anne, bert)

    result = acceptance(*ALL)
    found = seen(result)

    assert (result.code, result.err) == (0, "")
    assert {verdict for verdict, _ in found.values()} == {AS_ASSUMED, NOT_ASKED}
    assert {step for step, (verdict, _) in found.items() if verdict == NOT_ASKED} == {
        *("satellites", "unlicensed-userphoto", "webhook-chunked", "without-a-key"),
        *("subscription-list", "signed-in", "open-paths"),
        *("notification", "visit-0", "visit-1", "visit-empty"),
    }
    assert found["userphoto"][1] == ("S, M and L: what was written; files of 48x48, 72x72, 300x300")
    assert (
        found["csom"][1] == "200 without an error; 2 of 2 written; an empty value clears a property"
    )
    assert shown(tenant, anne, bert) == before
    assert json.loads((tmp_path / "acceptance.json").read_text("utf-8")) == result.document
    assert [file.name for file in tmp_path.iterdir()] == ["acceptance.json"]


def test_photo_that_is_not_square(acceptance: Acceptance, anne: User):
    """Its small rendition has the right longer side, so it counts as that size."""
    sent = io.BytesIO()
    Image.new("RGB", (640, 400), "teal").save(sent, "JPEG")
    kept = photos.accept(sent.getvalue(), reencode=True, fresh=False)
    anne.photo = photos.stored(kept, datetime.now(UTC))

    found = seen(acceptance("--read-only", "--json", USER))

    assert found["photo-sizes"] == (
        AS_ASSUMED,
        "whole 200 640x400, 648x648 404 ErrorEntityNotFound, 48x48 200 48x30",
    )


def test_table(acceptance: Acceptance, anne: User):
    """Without --json a table says the same, and what the skipped steps would need."""
    assert_printed(
        acceptance("--yes", "--hands-off", USER),
        0,
        "old-picture",
        "as assumed, 0 differ.",
        "Not asked (3): visit-0, visit-1, visit-empty. It needs a person: leave out --hands-off.\n",
    )


@pytest.mark.parametrize("answer", ["y", "n"])
def test_asks_before_it_writes(acceptance, tenant, anne, monkeypatch, answer):
    """It names whose picture is overwritten; "no" skips steps that write, with code 1."""
    before = shown(tenant, anne)
    typed = io.StringIO(f"{answer}\n" + "n\n" * 3)
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)

    result = acceptance("--output", "found.json", USER)
    document = json.loads(Path("found.json").read_text("utf-8"))
    found = {each["id"]: each["seen"] for each in document["steps"]}

    assert f"overwrite the picture of {USER} in SharePoint" in result.err
    assert shown(tenant, anne) == before
    assert result.code == (0 if answer == "y" else 1)
    assert (found["csom"] == "you did not agree to writing") is (answer == "n")
    assert answer == "n" or found["visit-1"] == "the person did not do it"


def test_read_only(acceptance: Acceptance, tenant: Cloud, anne: User):
    """Nothing is written; steps that would write say that they were skipped."""
    begin = len(tenant.tenant.journal.after(0))

    result = acceptance("--read-only", "--json", USER)

    assert result.code == 0
    assert seen(result)["copy"] == (NOT_ASKED, "--read-only skips steps that write")
    entries = tenant.tenant.journal.after(begin)
    asked = {(each["method"], each["path"].rpartition("/")[2]) for each in entries}
    # Questions, although they are posted.
    posted = {"token", "$batch", "checkMemberGroups"}
    assert {path for method, path in asked if method != "GET"} == posted


@pytest.mark.parametrize(
    ("switches", "step", "verdict", "words"),
    [
        ({"pictures_from": "people service"}, "userphoto", DIFFERS, "another service"),
        ({"pictures_from": "people service"}, "copy-shown", DIFFERS, "another service"),
        ({"pictures_from": "people service"}, "old-picture", DIFFERS, "came from another service"),
        ({"picture_cache_seconds": 3600.0}, "old-picture", DIFFERS, "the previous picture"),
        ({"csom": "refused"}, "csom", DIFFERS, "System.UnauthorizedAccessException"),
        ({"missing_profile": "404"}, "no-profile", AS_ASSUMED, "404 UserNotFoundException"),
        ({"missing_profile": "500"}, "no-profile", AS_ASSUMED, "500 UserNotFoundException"),
        ({"etags_move": True}, "library-etags", AS_ASSUMED, "the ETag changed for 3 of 3 files"),
        ({"mailbox_status": 400}, "unlicensed-photo", AS_ASSUMED, "400 ErrorNonExistentMailbox"),
    ],
)
def test_switch(acceptance, tenant, anne, bert, switches, step, verdict, words):
    """If the tenant differs the step says so, and everything is restored."""
    for name, value in switches.items():
        setattr(tenant.tenant.switches, name, value)
    before = shown(tenant, anne, bert)

    result = acceptance(*ALL)
    found = seen(result)

    assert found[step][0] == verdict
    assert words in found[step][1]
    assert result.code == (1 if verdict == DIFFERS else 0)
    assert shown(tenant, anne, bert) == before


def test_no_photo_is_a_pixel(acceptance: Acceptance, tenant: Cloud, anne: User, bert: User):
    """Of a mailbox without a photo the pixel is known; a photo without a mailbox would be news."""
    bert.mailbox = "online"
    tenant.tenant.switches.missing_photo = "1x1"
    pixel = seen(acceptance(*ALL))["unlicensed-photo"]
    give_photo(tenant, bert, seed=5)
    photo = seen(acceptance(*ALL))["unlicensed-photo"]

    assert pixel[0] == AS_ASSUMED
    assert "the pixel that stands for no photo" in pixel[1]
    assert photo[0] == DIFFERS
    assert "there is a photo" in photo[1]


def test_folder_is_named(acceptance: Acceptance, tenant: Cloud, anne: User):
    """A folder in another language is named, if the name is known."""
    tenant.tenant.name_picture_folder("Profilbilder")

    assert seen(acceptance("--read-only", "--json", USER))["folder"] == (AS_ASSUMED, "Profilbilder")


def test_throttling_is_reported(acceptance: Acceptance, tenant: Cloud, anne: User):
    """The names of the headers, how often, and how many calls were refused."""
    fault(tenant, service="graph", path="/photo$", next=1, fault="429", retryAfter=0.1)

    found = seen(acceptance("--read-only", "--json", USER))

    assert found["throttling"][0] == DIFFERS
    assert "retry-after (1); throttled: 429 (1)" in found["throttling"][1]


def test_missing_right_stops_one_step_alone(acceptance: Acceptance, tenant: Cloud, anne: User):
    """A step that is denied says so; the others run."""
    tenant.tenant.withdrawn[Role(ADMIN_APP, "sharepoint", "Sites.FullControl.All")] = True

    result = acceptance("--yes", "--json", USER)
    found = seen(result)

    assert found["rights"][0] == DIFFERS
    assert "missing: Sites.Selected" in found["rights"][1]
    assert found["folder"][0] == NOT_ASKED
    assert found["profile"][0] == AS_ASSUMED


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"PictureURL": ""}, "PictureURL empty"),
        ({"PictureURL": "https://pictures.example/anne.jpg"}, "PictureURL elsewhere"),
        ({"SPS-PicturePlaceholderState": "7"}, "placeholder state something else"),
        ({"SPS-PictureTimestamp": ""}, "timestamp empty"),
    ],
)
def test_profile_in_words(acceptance, anne, properties, words):
    """Profile values are described by their form, never shown."""
    assert anne.profile
    anne.profile.properties |= properties

    assert words in seen(acceptance("--read-only", "--json", USER))["profile"][1]


@pytest.mark.parametrize(
    ("path", "body", "result"),
    [
        (
            "/_vti_bin/client.svc/ProcessQuery$",
            "<html>",
            (DIFFERS, "200 with an answer that cannot be understood; 0 of 2 written"),
        ),
        (
            "/_api/contextinfo$",
            json.dumps({"FormDigestValue": "\u0416"}),
            (NOT_ASKED, "SharePoint returned an invalid form digest."),
        ),
    ],
    ids=["a proxy's page", "a digest that no header can hold"],
)
def test_odd_answers(acceptance, tenant, anne, monkeypatch, path, body, result):
    """A page with status 200, or an unusable digest, is reported like any odd answer."""
    # Copies send the same requests, and would get the fault first.
    monkeypatch.setattr(session, "WRITING", csom.WRITING)
    fault(tenant, service="sharepoint", path=path, next=1, fault="200", body=body)

    assert seen(acceptance("--yes", "--json", USER))["csom"] == result
