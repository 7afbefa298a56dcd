"""Publishing pictures to SharePoint: what is written, in which order, and whose files never are."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import pytest

from shared.errors import (
    ClaimLost,
    PhotoSyncError,
    PictureKept,
    Refused,
    TryLater,
    Unanswered,
)
from shared.sharepoint.picture_location import PictureLocation
from shared.sharepoint.publisher import Plan
from shared.user import User
from shared.written_file import WrittenFile
from tests.doubles.claims import covered, lost
from tests.doubles.web import Answer, answer, no_answer
from tests.shared.sharepoint.publishing_desk import (
    ANNE,
    COLLEAGUE,
    ELSEWHERE,
    ID,
    LIBRARY,
    NOON_SECONDS,
    OWN_URL,
    PICTURES,
    SYNCED,
    Desk,
    files_of,
    published,
)

# What is written


def test_first_picture():
    """A user without a picture gets three files, then four properties, the timestamp last."""
    desk = Desk({})
    plan = desk.plan()
    assert (desk.site.events, desk.site.profile) == ([], {})
    # Without a geography it is the home one.
    desk.publisher.publish(replace(plan, geo=None), PICTURES, before_write=covered)

    assert desk.site.profile_calls == 2
    assert desk.site.files == files_of(ID)
    assert desk.site.profile == {**SYNCED, "SPS-PictureTimestamp": NOON_SECONDS}
    assert plan.picture_url == OWN_URL
    assert desk.site.events == [
        *["file"] * 3,
        "PictureURL",
        "SPS-PicturePlaceholderState",
        "SPS-PictureExchangeSyncState",
        "SPS-PictureTimestamp",
    ]


@pytest.mark.parametrize(
    "differs", ["", "PictureURL", "SPS-PicturePlaceholderState", "SPS-PictureExchangeSyncState"]
)
def test_only_what_differs_is_written(differs):
    """Only properties that differ are written, and the timestamp, by one read and one write."""
    desk = Desk({**SYNCED, differs: ""} if differs else dict(SYNCED))
    desk.publish()

    assert desk.site.events[3:] == [*([differs] if differs else []), "SPS-PictureTimestamp"]
    assert desk.site.profile_calls == 2


TIMED_OUT = {"ErrorCode": -1, "ErrorTypeName": "System.TimeoutException", "ErrorMessage": ""}
ENDS = {
    "an error": lambda: answer([{"ErrorInfo": TIMED_OUT}]),
    "a fault": lambda: Answer(500),
    "throttled": lambda: Answer(503),
    "no answer": no_answer,
    "a cut answer": lambda: Answer(200, b'[{"Err'),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("written", range(5))
def test_request_that_ends_half_way(written, end):
    """However much a request writes, and however it ends, this or the next run is correct."""
    desk = Desk({})
    desk.site.stops = written, end
    with contextlib.suppress(TryLater):
        desk.publish()
    before = desk.site.profile or {}
    stamp = int(before.get("SPS-PictureTimestamp", "0"))
    desk.site.stops = None
    desk.clock.sleep(60)
    plan = desk.publish()

    stamps = {"SPS-PictureTimestamp": plan.changes["SPS-PictureTimestamp"]}
    assert desk.site.profile == {**SYNCED, **stamps}
    assert int(desk.profile["SPS-PictureTimestamp"]) > stamp
    assert desk.site.events[-1] == "SPS-PictureTimestamp"


def test_sync_state_is_a_setting():
    """PICTURE_SYNC_STATE=0 is written to the profile."""
    desk = Desk(dict(SYNCED), PICTURE_SYNC_STATE="0")
    desk.publish()

    assert desk.profile["SPS-PictureExchangeSyncState"] == "0"


# The timestamp


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", NOON_SECONDS),
        ("63605901091", NOON_SECONDS),
        ("yesterday", NOON_SECONDS),
        (NOON_SECONDS, str(int(NOON_SECONDS) + 1)),
        (str(int(NOON_SECONDS) + 50), str(int(NOON_SECONDS) + 51)),
        (str(int(NOON_SECONDS) + 86_399), str(int(NOON_SECONDS) + 86_400)),
        (str(int(NOON_SECONDS) + 86_400), NOON_SECONDS),
        ("9" * 5000, NOON_SECONDS),
        ("0" * 9 + NOON_SECONDS + "0" * 5000, str(int(NOON_SECONDS) + 1)),
    ],
    ids=[
        "none", "old", "no number", "this second", "ahead", "a day ahead", "far ahead", "very long",
        "very long, with zeros",
    ],
)  # fmt: skip
def test_timestamp(before, after):
    """Seconds since the year 1, and later than before, since browsers cache by timestamp."""
    desk = Desk({**SYNCED, "SPS-PictureTimestamp": before})

    assert desk.plan().changes == {"SPS-PictureTimestamp": after}


# Which files


@pytest.mark.parametrize(
    ("url", "name", "folder"),
    [
        (f"{LIBRARY}/Profilbilder/{ID}_MThumb.jpg", ID, "Profilbilder"),
        (OWN_URL.replace(ID, "anne_contoso_com"), "anne_contoso_com", "Profile Pictures"),
        (OWN_URL.replace(":443", ""), ID, "Profile Pictures"),
    ],
    ids=["object id, another folder", "UPN", "no port"],
)
def test_existing_files_are_replaced(url, name, folder):
    """The user's own files that the profile shows keep their names, folder and URL."""
    desk = Desk({**SYNCED, "PictureURL": url})

    assert desk.publish().picture_url == url
    assert desk.site.files == files_of(name, folder)
    assert desk.site.listings == 0


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_chosen_picture_is_kept(url):
    """A picture that a person set is kept, and nothing is written."""
    desk = Desk({**SYNCED, "PictureURL": url})

    with pytest.raises(PictureKept) as caught:
        desk.publisher.plan(ANNE, "")
    assert str(caught.value) == (
        "The profile shows a picture that a person chose, so PhotoSync keeps it. To show the "
        "photo instead, press Replace in the console or replay with --replace. "
        "CUSTOM_PICTURE=replace replaces every such picture."
    )
    assert desk.site.events == []


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("custom", ["keep", "replace"])
def test_chosen_picture_is_replaced(custom, url):
    """CUSTOM_PICTURE=replace replaces every chosen picture; a person's order replaces one."""
    desk = Desk({**SYNCED, "PictureURL": url}, CUSTOM_PICTURE=custom)
    plan = desk.plan(replace=custom == "keep")
    desk.publisher.publish(plan, PICTURES, before_write=covered)

    assert desk.site.files == files_of(ID)
    assert desk.profile["PictureURL"] == OWN_URL


# Files of others


BERT = "bert_x_contoso_com"
LONG = "a_b_c_d_e_f_g_contoso_com"


@pytest.mark.parametrize(
    ("upn", "name", "colleagues", "is_kept"),
    [
        ("bert.x@contoso.com", BERT, {"bert.x@contoso.com"}, True),
        ("bert.x@contoso.com", BERT, {"bert_x@contoso.com"}, False),
        ("a.b.c.d.e.f.g@contoso.com", LONG, set(), False),
        ("bert.x@contoso.com", COLLEAGUE, set(), False),
    ],
    ids=["own UPN", "a colleague's UPN, too", "too many to ask for", "a colleague's object id"],
)
def test_files_that_the_profile_names(upn, name, colleagues, is_kept):
    """They are replaced only if they cannot be another user's; else the user gets new ones."""
    url = f"{LIBRARY}/Profile%20Pictures/{name}_MThumb.jpg"
    desk = Desk({"PictureURL": url})
    desk.colleagues = colleagues
    plan = desk.publisher.plan(User(ID, upn, True, False), "")
    desk.publisher.publish(plan, PICTURES, before_write=covered)

    assert desk.site.files == files_of(name if is_kept else ID)
    assert desk.profile["PictureURL"] == plan.picture_url == (url if is_kept else OWN_URL)


# Other hosts

OLD_HOST = OWN_URL.replace("contoso-my", "fabrikam-my")


@pytest.mark.parametrize(
    ("url", "wrote"),
    [(OLD_HOST, ""), (OLD_HOST.replace(ID, "x"), OLD_HOST.replace(ID, "x"))],
    ids=["own object id", "what we wrote"],
)
def test_our_picture_on_a_former_host(url, wrote):
    """After a tenant rename, our picture is not a person's choice: it is written anew."""
    desk = Desk({**SYNCED, "PictureURL": url})
    plan = desk.plan(wrote)

    assert not plan.is_shown
    assert plan.changes["PictureURL"] == plan.picture_url == OWN_URL
    assert plan.location == PictureLocation("Profile Pictures", ID)


# The folder


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (("Profilkuvat",), "Profilkuvat"),
        (("Archive", "Profilbilder", "Old"), "Profilbilder"),
    ],
    ids=["an unknown language", "a known one among others"],
)
def test_folder_is_found(folders, found):
    """The picture folder is the known one, or the only one."""
    assert Desk({}, folders).plan().location.folder == found


@pytest.mark.parametrize(
    "folders",
    [(), ("Archive", "Old"), ("Profile Pictures", "Profilbilder")],
    ids=["none", "two unknown", "two known"],
)
def test_ambiguous_folder(folders):
    """If no folder or several qualify, the admin is asked for PICTURE_FOLDER."""
    with pytest.raises(Refused, match=rf"has {len(folders)} folders .* PICTURE_FOLDER"):
        Desk({}, folders).plan()


@pytest.mark.parametrize("folder", ["Nope", "x%00y", "n" * 800])
def test_folder_that_does_not_exist(folder):
    """A profile that names such a folder is corrected, and is no failure."""
    plan = Desk({"PictureURL": f"{LIBRARY}/{folder}/{ID}_MThumb.jpg"}).plan()

    assert plan.location.folder == "Profile Pictures"
    assert plan.changes["PictureURL"] == OWN_URL


def test_folder_that_is_listed():
    """A folder in an unknown language is kept if it exists; SharePoint is asked once."""
    desk = Desk({"PictureURL": f"{LIBRARY}/Profilkuvat/{ID}_MThumb.jpg"}, ("Profilkuvat",))
    plans = [desk.plan() for _ in range(2)]

    assert [plan.location.folder for plan in plans] == ["Profilkuvat"] * 2
    assert "PictureURL" not in plans[0].changes
    assert desk.site.listings == 1


@pytest.mark.parametrize("more", ["?x=1", "#part", "?", "#"])
def test_url_with_a_query(more):
    """A URL with more than a path is written anew."""
    assert Desk({"PictureURL": OWN_URL + more}).plan().changes["PictureURL"] == OWN_URL


# Whether the files are still ours


def named(plan: Plan, number: int) -> str:
    return f"/User Photos/Profile Pictures/{plan.location.files[number]}"


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    "content", [None, b"some other picture", b"Xxxxxx"[:5]], ids=["gone", "longer", "as long"]
)
def test_file_that_somebody_changed(number, content):
    """A missing or changed file is None, and the other two are found."""
    desk = Desk({})
    plan = desk.publish()
    del desk.site.files[named(plan, number)]
    if content:
        desk.site.files[named(plan, number)] = content

    found = desk.publisher.find(plan, desk.written)

    assert [file is None for file in found] == [each == number for each in range(3)]
    # A file of another length need not be read.
    assert ("read" in desk.site.events) is (len(content or b"") == len(PICTURES[number]))


def test_etags_that_changed():
    """SharePoint may change an ETag by itself: the bytes count, and the new ETag is returned."""
    desk = Desk({})
    plan = desk.publish()
    desk.site.etag_of = lambda content: f"later {content!r}"

    found = desk.publisher.find(plan, desk.written)

    assert found == tuple(WrittenFile.of(each, f"later {each!r}") for each in PICTURES)
    desk.site.events.clear()
    assert desk.publisher.find(plan, [each for each in found if each]) == found
    assert desk.site.events == ["checked"] * 3


def test_no_etags():
    """If SharePoint returns no ETag, the bytes are read each time."""
    desk = Desk({})
    desk.site.etag_of = lambda content: ""
    plan = desk.publish()

    assert desk.publisher.find(plan, desk.written) == desk.written
    desk.site.files[named(plan, 0)] = b"other"
    assert desk.publisher.find(plan, desk.written)[0] is None


def inspect(desk: Desk) -> str:
    return desk.publisher.inspect(ANNE, OWN_URL, desk.written).damage


@pytest.mark.parametrize(
    ("changed", "damage"),
    [
        ({"PictureURL": ""}, "no picture any more"),
        ({"PictureURL": OWN_URL.replace(ID, COLLEAGUE)}, "files that PhotoSync did not write"),
        ({"PictureURL": OWN_URL.replace("Profile", "Other")}, "files that PhotoSync did not write"),
        ({"SPS-PicturePlaceholderState": "1"}, "placeholder"),
        ({"SPS-PicturePlaceholderState": ""}, "placeholder"),
    ],
    ids=["lost", "colleague", "folder", "placeholder", "unset"],
)
def test_damaged_profile(changed, damage):
    """A profile that does not show our files is damage, reported without reading the files."""
    desk = published()
    desk.site.profile = {**desk.profile, **changed}

    assert damage in inspect(desk)
    assert desk.site.events == []


def test_former_url():
    """A picture at the URL from before a tenant rename is ours, and is to be written anew."""
    desk = published()
    desk.profile["PictureURL"] = OWN_URL.replace("contoso", "fabrikam")

    found = desk.publisher.inspect(ANNE, OWN_URL, desk.written)
    assert (found.damage, found.files) == ("", ())
    assert "former address" in found.outdated


@pytest.mark.parametrize(
    "changed",
    [{}, {"PictureURL": OWN_URL + "?t=1"}, {"SPS-PictureExchangeSyncState": "0"}],
    ids=["nothing", "query", "sync state"],
)
def test_no_damage(changed):
    """A change that does not affect the picture is ignored; an inspection costs four calls."""
    desk = published()
    desk.site.profile = {**desk.profile, **changed}

    found = desk.publisher.inspect(ANNE, OWN_URL, desk.written)

    assert (found.damage, found.files) == ("", desk.written)
    assert desk.site.events == ["checked"] * 3


def test_damaged_files():
    """The sentence names the files."""
    desk = Desk({})
    plan = desk.publish()
    for number in (1, 2):
        del desk.site.files[named(plan, number)]

    assert inspect(desk) == "Somebody has changed or deleted a file: middle, large."


@pytest.mark.parametrize("custom", ["keep", "replace"])
def test_chosen_picture_is_no_damage(custom):
    """A picture that a person has chosen is kept, unless the settings replace it."""
    desk = published(CUSTOM_PICTURE=custom)
    desk.site.profile = {"PictureURL": "https://cdn.contoso.com/anne.jpg"}

    if custom == "replace":
        assert "files that PhotoSync did not write" in inspect(desk)
    else:
        with pytest.raises(PictureKept):
            inspect(desk)


# When something goes wrong


def test_closed_publisher():
    """No upload begins once it is closed."""
    desk = Desk({})
    desk.publisher.close()

    with pytest.raises(RuntimeError):
        desk.publish()
    assert desk.site.events == []


def failure(desk: Desk) -> PhotoSyncError:
    plan = desk.plan()
    with pytest.raises(PhotoSyncError) as caught:
        desk.publisher.publish(plan, PICTURES, before_write=covered)
    return caught.value


@pytest.mark.parametrize("file", ["_SThumb", "_MThumb", "_LThumb"])
def test_failed_upload_leaves_the_profile_alone(file):
    """No property is written unless all three files are."""
    desk = Desk({})
    desk.site.faults = {f"{file}.jpg',overwrite": lambda: Answer(400)}

    assert isinstance(failure(desk), Refused)
    assert desk.site.profile == {}


@pytest.mark.parametrize("unanswered", ["_SThumb", "_MThumb", "_LThumb"])
def test_unanswered_upload_decides(unanswered):
    """If one upload may still take effect, its error is raised, whatever the others raise."""
    desk = Desk({})
    desk.site.faults = {
        f"{unanswered}.jpg',overwrite": no_answer,
        "AddUsingPath": lambda: Answer(400),
    }

    assert isinstance(failure(desk), Unanswered)


def test_no_upload_outlives_the_error():
    """The error is raised only after every upload has ended."""
    desk = Desk({})
    failed, left = threading.Event(), threading.Event()
    left_early: list[bool] = []

    def fail() -> Answer:
        failed.set()
        return Answer(400)

    def linger() -> Answer:
        failed.wait(10)
        # Returns immediately if the error was raised already, else gives it time to be raised.
        left_early.append(left.wait(0.2))
        return answer({})

    desk.site.faults = {"_SThumb": fail, "_LThumb": linger}
    failure(desk)
    left.set()

    assert left_early == [False]


def test_no_write_without_a_claim():
    """Neither files nor properties are written that the claim does not cover."""
    desk = Desk({})
    plan = desk.plan()

    with pytest.raises(ClaimLost):
        desk.publisher.publish(plan, PICTURES, before_write=lost)
    assert desk.site.events == []
