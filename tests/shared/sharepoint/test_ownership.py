"""Whose files a copy may write, whatever address a profile shows: users write it themselves."""

from __future__ import annotations

import pytest

from shared.user import User
from tests.shared.sharepoint.publishing_desk import ID, LIBRARY, Desk

BERT = User(ID, "bert.x@contoso.com", account_enabled=True, is_guest=False)
OLD = f"{LIBRARY}/Profile%20Pictures/bert_x_contoso_com_MThumb.jpg"


def test_name_that_nobody_else_may_have_is_kept():
    """Files named by UPN stay where they are while no namesake exists."""
    plan = Desk({"PictureURL": OLD}).publisher.plan(BERT, "")

    assert plan.location.name == "bert_x_contoso_com"
    assert plan.picture_url == OLD


def test_name_of_two_people_is_left_alone():
    """Where bert_x might own the files too, bert.x gets files of his own."""
    desk = Desk({"PictureURL": OLD})
    desk.colleagues = {"bert_x@contoso.com"}
    plan = desk.publisher.plan(BERT, "")

    assert plan.location.name == ID
    assert plan.changes["PictureURL"].endswith(f"{ID}_MThumb.jpg")


def test_too_many_namesakes_to_ask_for():
    """A name that could stand for dozens of people is taken for somebody else's."""
    upn = "a.b.c.d.e.f.g@contoso.com"
    url = f"{LIBRARY}/Profile%20Pictures/a_b_c_d_e_f_g_contoso_com_MThumb.jpg"
    plan = Desk({"PictureURL": url}).publisher.plan(User(ID, upn, True, False), "")

    assert plan.location.name == ID


@pytest.mark.parametrize("folder", ["Nope", "x%00y", "n" * 800])
def test_folder_that_is_none(folder):
    """A profile that names a folder which is not there is put right, not failed."""
    url = f"{LIBRARY}/{folder}/{ID}_MThumb.jpg"
    plan = Desk({"PictureURL": url}).publisher.plan(BERT, "")

    assert plan.location.folder == "Profile Pictures"
    assert plan.changes["PictureURL"].endswith(f"/Profile%20Pictures/{ID}_MThumb.jpg")


def test_folder_that_is_listed():
    """A folder in a language that nobody told us of is kept when it is there; asked once."""
    url = f"{LIBRARY}/Profilkuvat/{ID}_MThumb.jpg"
    desk = Desk({"PictureURL": url}, folders=("Profilkuvat",))
    plans = [desk.publisher.plan(BERT, "") for _ in range(2)]

    assert [plan.location.folder for plan in plans] == ["Profilkuvat"] * 2
    assert "PictureURL" not in plans[0].changes
    assert desk.site.listings == 1


@pytest.mark.parametrize("more", ["?x=1", "#part", "?", "#"])
def test_address_with_more_than_a_path_is_written_anew(more):
    """What follows the path of an address does not belong there."""
    url = f"{LIBRARY}/Profile%20Pictures/{ID}_MThumb.jpg"
    plan = Desk({"PictureURL": url + more}).publisher.plan(BERT, "")

    assert plan.changes["PictureURL"].split("/User")[1] == url.split("/User")[1]
