"""Putting pictures into SharePoint: what is written, in which order, and whose files never are."""

from __future__ import annotations

import contextlib
import threading

import pytest
import requests

from shared.errors import (
    ClaimLost,
    NoProfile,
    OtherHost,
    PhotoSyncError,
    PictureKept,
    Refused,
    TryLater,
    Unanswered,
)
from shared.sharepoint.picture_location import PictureLocation
from shared.written_file import WrittenFile
from tests.doubles.claims import covered, lost
from tests.doubles.web import Answer, answer
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
)

# What is written


def test_first_picture():
    """A user without a picture gets three files and all four properties."""
    desk = Desk({})
    plan = desk.publish()

    assert desk.site.files == files_of(ID)
    assert desk.site.profile == {**SYNCED, "SPS-PictureTimestamp": NOON_SECONDS}
    assert plan.picture_url == OWN_URL


def test_files_then_properties_then_timestamp():
    """Files come before properties, and the timestamp comes last of all."""
    desk = Desk({})
    desk.publish()

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
    """Of a known user only the properties that differ are written, and the timestamp."""
    desk = Desk({**SYNCED, differs: ""} if differs else dict(SYNCED))
    desk.publish()

    assert desk.site.events[3:] == [*([differs] if differs else []), "SPS-PictureTimestamp"]


@pytest.mark.parametrize("profile", [{}, SYNCED], ids=["first", "changed"])
def test_profile_calls(profile):
    """A copy makes two profile calls: it reads, and it writes whatever differs at once."""
    desk = Desk(dict(profile))
    desk.publish()

    assert desk.site.profile_calls == 2


def gone() -> Answer:
    raise requests.ConnectionError


TIMED_OUT = {"ErrorCode": -1, "ErrorTypeName": "System.TimeoutException", "ErrorMessage": ""}
ENDS = {
    "an error": lambda: answer([{"ErrorInfo": TIMED_OUT}]),
    "a fault": lambda: Answer(500),
    "patience": lambda: Answer(503),
    "no answer": gone,
    "a cut answer": lambda: Answer(200, b'[{"Err'),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("written", range(5))
def test_request_that_ends_half_way(written, end):
    """However much of a request is written, and however it ends: it, or the next run, is right."""
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
    assert int(desk.site.profile["SPS-PictureTimestamp"]) > stamp
    assert desk.site.events[-1] == "SPS-PictureTimestamp"


def test_sync_state_is_a_setting():
    """PICTURE_SYNC_STATE=0 is what the profile says afterwards."""
    desk = Desk(dict(SYNCED), PICTURE_SYNC_STATE="0")
    desk.publish()

    assert desk.site.profile is not None
    assert desk.site.profile["SPS-PictureExchangeSyncState"] == "0"


def test_planning_writes_nothing():
    """A plan is made by reading alone."""
    desk = Desk({})
    desk.plan()

    assert (desk.site.events, desk.site.profile) == ([], {})


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
        "none", "old", "no number", "this second", "ahead", "a day ahead", "far ahead", "endless",
        "endless from zero",
    ],
)  # fmt: skip
def test_timestamp(before, after):
    """The timestamp is the time in seconds since the year 1, and later than the one before."""
    desk = Desk({**SYNCED, "SPS-PictureTimestamp": before})

    assert desk.plan().changes == {"SPS-PictureTimestamp": after}


def test_timestamps_of_one_second_differ():
    """Copies within one second get growing timestamps: browsers take each for a new picture."""
    desk = Desk({})
    seen = [int(desk.publish().changes["SPS-PictureTimestamp"]) for _ in range(3)]

    assert seen == sorted(set(seen))


# Which files


@pytest.mark.parametrize(
    ("name", "folder"),
    [(ID, "Profilbilder"), ("anne_contoso_com", "Profile Pictures")],
    ids=["object id, another folder", "UPN"],
)
def test_existing_files_are_replaced(name, folder):
    """Files that the profile shows and that are the user's own keep their names and folder."""
    url = f"{LIBRARY}/{folder.replace(' ', '%20')}/{name}_MThumb.jpg"
    desk = Desk({**SYNCED, "PictureURL": url})

    assert desk.publish().picture_url == url
    assert desk.site.files == files_of(name, folder)
    assert desk.site.listings == 0


def test_files_of_a_colleague_are_not_touched():
    """Whoever points the own profile at a colleague's files gets files of his own."""
    url = f"{LIBRARY}/Profile%20Pictures/{COLLEAGUE}_MThumb.jpg"
    desk = Desk({**SYNCED, "PictureURL": url})
    desk.publish()

    assert desk.site.files == files_of(ID)
    assert desk.site.profile is not None
    assert desk.site.profile["PictureURL"] == OWN_URL


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_picture_from_elsewhere_is_kept(url):
    """A picture that a person set is kept, and nothing is written."""
    desk = Desk({**SYNCED, "PictureURL": url})

    with pytest.raises(PictureKept, match="CUSTOM_PICTURE=replace"):
        desk.plan()
    assert desk.site.events == []


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_picture_from_elsewhere_is_replaced_if_wanted(url):
    """With CUSTOM_PICTURE=replace the Exchange photo wins."""
    desk = Desk({**SYNCED, "PictureURL": url}, CUSTOM_PICTURE="replace")
    desk.publish()

    assert desk.site.files == files_of(ID)
    assert desk.site.profile is not None
    assert desk.site.profile["PictureURL"] == OWN_URL


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_picture_from_elsewhere_is_replaced_once(url):
    """Where a person asks for it one chosen picture makes room, and the next is kept again."""
    desk = Desk({**SYNCED, "PictureURL": url})
    desk.publisher.publish(desk.plan(replace=True), PICTURES, before_write=covered)

    assert desk.site.files == files_of(ID)
    assert desk.site.profile is not None
    assert desk.site.profile["PictureURL"] == OWN_URL
    desk.site.profile["PictureURL"] = url
    with pytest.raises(PictureKept, match="--replace"):
        desk.plan()


def test_replacing_stays_on_our_host():
    """Nothing is written for a user of another host, whoever asks for it."""
    desk = Desk({**SYNCED, "PictureURL": "https://cdn.contoso.com/anne.jpg"})
    desk.site.personal_host = "https://fabrikam-my.sharepoint.com/"

    with pytest.raises(OtherHost):
        desk.plan(replace=True)


OLD_HOST = OWN_URL.replace("contoso-my", "fabrikam-my")


@pytest.mark.parametrize(
    ("url", "wrote"),
    [(OLD_HOST, ""), (OLD_HOST.replace(ID, "x"), OLD_HOST.replace(ID, "x"))],
    ids=["own object id", "what we wrote"],
)
def test_our_picture_on_a_former_host(url, wrote):
    """After the tenant was renamed our picture is nobody's choice: it is written anew."""
    desk = Desk({**SYNCED, "PictureURL": url})
    plan = desk.plan(wrote)

    assert plan.changes["PictureURL"] == OWN_URL
    assert plan.location == PictureLocation("Profile Pictures", ID)


@pytest.mark.parametrize("call", ["plan", "plan_removal"])
def test_personal_site_on_another_host(call):
    """Nothing is planned for a user whose files belong on another host."""
    desk = Desk({**SYNCED, "PictureURL": OWN_URL})
    desk.site.personal_host = "https://fabrikam-my.sharepoint.com/"

    with pytest.raises(OtherHost, match=r"fabrikam-my.*SHAREPOINT_GEOS"):
        getattr(desk, call)()


def test_no_profile():
    """A user without a profile is settled before anything is written."""
    desk = Desk(None)

    with pytest.raises(NoProfile):
        desk.plan()


# The folder


FOLDERS: dict[str, tuple[tuple[str, ...], str]] = {
    "English": (("Profile Pictures",), "Profile Pictures"),
    "German": (("Profilbilder",), "Profilbilder"),
    "a language nobody listed": (("Profilkuvat",), "Profilkuvat"),
    "a known one among others": (("Archive", "Profilbilder", "Old"), "Profilbilder"),
}


@pytest.mark.parametrize(("folders", "found"), FOLDERS.values(), ids=FOLDERS)
def test_folder_is_found(folders, found):
    """The picture folder is the known one, or the only one."""
    assert Desk({}, folders).plan().location.folder == found


@pytest.mark.parametrize(
    "folders",
    [(), ("Archive", "Old"), ("Profile Pictures", "Profilbilder")],
    ids=["none", "two unknown", "two known"],
)
def test_folder_that_cannot_be_known(folders):
    """Where no folder or several could be meant, the admin is asked for PICTURE_FOLDER."""
    with pytest.raises(Refused, match=rf"has {len(folders)} folders .* PICTURE_FOLDER"):
        Desk({}, folders).plan()


def test_folder_by_setting():
    """PICTURE_FOLDER is taken as it is."""
    desk = Desk({}, ("Archive", "Old"), PICTURE_FOLDER="Old")

    assert desk.plan().location.folder == "Old"
    assert desk.site.listings == 0


def test_folder_is_asked_for_once():
    """The folder is looked for once a process."""
    desk = Desk({})
    desk.plan()
    desk.plan()

    assert desk.site.listings == 1


# Whether the files are still ours


def test_files_as_they_were_written():
    """Files that nobody touched cost a look each, and no download."""
    desk = Desk({})
    plan = desk.publish()
    desk.site.events.clear()

    assert desk.publisher.find(plan, desk.written) == desk.written
    assert desk.site.events == ["looked"] * 3


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    "content", [None, b"some other picture", b"Xxxxxx"[:5]], ids=["gone", "longer", "as long"]
)
def test_file_that_somebody_changed(number, content):
    """Each of the three is missed by itself, and what is there in its place is not taken for it."""
    desk = Desk({})
    plan = desk.publish()
    name = f"/User Photos/Profile Pictures/{plan.location.files[number]}"
    del desk.site.files[name]
    if content:
        desk.site.files[name] = content

    found = desk.publisher.find(plan, desk.written)

    assert [file is None for file in found] == [each == number for each in range(3)]


def test_etags_that_moved_by_themselves():
    """SharePoint may move an ETag without anybody's doing: then the bytes tell, and it is kept."""
    desk = Desk({})
    plan = desk.publish()
    desk.site.etag_of = lambda content: f"later {content!r}"

    found = desk.publisher.find(plan, desk.written)

    assert found == tuple(WrittenFile.of(each, f"later {each!r}") for each in PICTURES)
    desk.site.events.clear()
    assert desk.publisher.find(plan, [each for each in found if each]) == found
    assert desk.site.events == ["looked"] * 3


def test_etags_that_nobody_tells():
    """A SharePoint that names no ETag is asked for the bytes each time."""
    desk = Desk({})
    desk.site.etag_of = lambda content: ""
    plan = desk.publish()

    assert desk.publisher.find(plan, desk.written) == desk.written
    desk.site.files[f"/User Photos/Profile Pictures/{plan.location.files[0]}"] = b"other"
    assert desk.publisher.find(plan, desk.written)[0] is None


def inspect(desk: Desk) -> str:
    return desk.publisher.inspect(ANNE, OWN_URL, desk.written).damage


def test_picture_as_it_was_written():
    """A look at profile and files that nobody has touched costs four calls, and finds nothing."""
    desk = Desk({})
    desk.publish()
    desk.site.events.clear()

    assert desk.publisher.inspect(ANNE, OWN_URL, desk.written).files == desk.written
    assert inspect(desk) == ""
    assert desk.site.events == ["looked"] * 6


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
    """Whatever keeps pages from showing our files is damage, told without a look at them."""
    desk = Desk({})
    desk.publish()
    assert desk.site.profile is not None
    desk.site.profile |= changed
    desk.site.events.clear()

    assert damage in inspect(desk)
    assert desk.site.events == []


def test_former_address():
    """A picture at the address of before a renaming is ours, and is to be written anew."""
    desk = Desk({})
    desk.publish()
    assert desk.site.profile is not None
    desk.site.profile |= {"PictureURL": OWN_URL.replace("contoso", "fabrikam")}

    found = desk.publisher.inspect(ANNE, OWN_URL, desk.written)
    assert (found.damage, found.files) == ("", ())
    assert "former address" in found.outdated


@pytest.mark.parametrize(
    "changed",
    [{"PictureURL": OWN_URL + "?t=1"}, {"SPS-PictureExchangeSyncState": "0"}],
    ids=["query", "sync state"],
)
def test_no_damage(changed):
    """What makes no other picture is left alone."""
    desk = Desk({})
    desk.publish()
    assert desk.site.profile is not None
    desk.site.profile |= changed

    assert inspect(desk) == ""


def test_damaged_files():
    """The sentence names the files."""
    desk = Desk({})
    plan = desk.publish()
    for name in plan.location.files[1:]:
        del desk.site.files[f"/User Photos/Profile Pictures/{name}"]

    assert inspect(desk) == "Somebody has changed or deleted a file: middle, large."


def test_chosen_picture_is_no_damage():
    """A picture that a person has chosen is for the worker to respect, unless it is not to be."""
    chosen = {"PictureURL": "https://cdn.contoso.com/anne.jpg"}
    desk = Desk({})
    desk.publish()
    desk.site.profile = chosen
    with pytest.raises(PictureKept):
        inspect(desk)

    desk = Desk({}, CUSTOM_PICTURE="replace")
    desk.publish()
    desk.site.profile = chosen
    assert "files that PhotoSync did not write" in inspect(desk)


# When something goes wrong


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


@pytest.mark.parametrize("lost", ["_SThumb", "_MThumb", "_LThumb"])
def test_most_doubtful_error_leaves(lost):
    """If one upload may be carried out yet, that is the error, wherever it stands."""

    def lose() -> Answer:
        raise requests.ReadTimeout

    desk = Desk({})
    desk.site.faults = {
        f"{lost}.jpg',overwrite": lose,
        "AddUsingPath": lambda: Answer(400),
    }

    assert isinstance(failure(desk), Unanswered)


def test_no_upload_outlives_the_error():
    """An error leaves only when every upload is over."""
    desk = Desk({})
    failed, left = threading.Event(), threading.Event()
    left_early: list[bool] = []

    def fail() -> Answer:
        failed.set()
        return Answer(400)

    def linger() -> Answer:
        failed.wait(10)
        # Comes back at once if the error has left, and otherwise lets it have every chance to.
        left_early.append(left.wait(0.2))
        return answer({})

    desk.site.faults = {"_SThumb": fail, "_LThumb": linger}
    failure(desk)
    left.set()

    assert left_early == [False]


def test_no_request_begins_too_late():
    """Neither files nor properties are written that the claim does not cover."""
    desk = Desk({})
    plan = desk.plan()

    with pytest.raises(ClaimLost):
        desk.publisher.publish(plan, PICTURES, before_write=lost)
    assert desk.site.events == []
