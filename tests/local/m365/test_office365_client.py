"""An independent client, Office365-REST-Python-Client as published, with the simulator."""

from __future__ import annotations

import pytest
from office365.runtime.auth.token_response import TokenResponse
from office365.runtime.client_request_exception import ClientRequestException
from office365.sharepoint.client_context import ClientContext
from office365.sharepoint.userprofiles.people_manager import PeopleManager

from tests.local.m365.simulator import Cloud

FOLDER = "/User Photos/Profile Pictures"
ACCOUNT = "i:0#.f|membership|anne.o'brien+x@contoso.com"


def context(office: Cloud, base: str) -> ClientContext:
    """The client, with a token for *base*."""
    token = office.token(base)
    return ClientContext(base).with_access_token(
        lambda: TokenResponse(access_token=token, token_type="Bearer")
    )


def test_reads_and_writes_profile_properties(office: Cloud):
    """Of a user with an apostrophe and a plus in the name."""
    anne = office.add_user("anne.o'brien+x")
    assert anne.profile is not None
    anne.profile.properties["PictureURL"] = "https://pictures.example/anne_MThumb.jpg"

    people = PeopleManager(context(office, office.tenant.urls.admin))
    profile = people.get_properties_for(ACCOUNT).execute_query()
    people.set_single_value_profile_property(ACCOUNT, "Office", "Room 7").execute_query()

    values = profile.user_profile_properties
    assert values is not None
    assert profile.account_name == ACCOUNT
    assert values["PictureURL"] == "https://pictures.example/anne_MThumb.jpg"
    assert anne.profile.properties["Office"] == "Room 7"


@pytest.mark.parametrize("removal", ["delete_object", "recycle"])
def test_uploads_reads_back_and_deletes(office: Cloud, removal: str):
    """The listed file has the uploaded bytes, until it is deleted or recycled."""
    client = context(office, office.tenant.urls.my)
    content = bytes(range(256)) * 40
    folder = client.web.get_folder_by_server_relative_url(FOLDER)

    uploaded = folder.upload_file("o'brien_MThumb.jpg", content).execute_query()
    names = [file.name for file in folder.files.get().execute_query()]
    url = f"{FOLDER}/o'brien_MThumb.jpg"
    read = client.web.get_file_by_server_relative_path(url).get_content().execute_query()
    getattr(client.web.get_file_by_server_relative_url(url), removal)().execute_query()

    assert uploaded.server_relative_url == url
    assert names == ["o'brien_MThumb.jpg"]
    assert read.value == content
    assert office.tenant.picture_folder.files == {}


def test_understands_our_errors(office: Cloud):
    """The client reads status and code of a missing file from the verbose error."""
    client = context(office, office.tenant.urls.my)
    query = client.web.get_file_by_server_relative_path(f"{FOLDER}/no.jpg").get()

    with pytest.raises(ClientRequestException) as caught:
        query.execute_query()

    assert caught.value.response is not None
    assert caught.value.response.status_code == 404
    assert caught.value.code == "-2130575338, Microsoft.SharePoint.SPException"
