"""OData's options at the simulated SharePoint: results and refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.m365.picture_library import LIBRARY, PICTURES, WEB, upload
from tests.local.m365.simulator import Cloud, HostSession


@pytest.fixture(scope="module")
def files(running_office: Cloud) -> Iterator[HostSession]:
    """A session with a library of three files."""
    running_office.renew()
    with running_office.session(running_office.tenant.urls.my) as session:
        for name, content in (("b.jpg", b"22"), ("a''b.jpg", b"1"), ("C.png", b"333333333333")):
            assert upload(session, name, content).ok
        yield session


A, B, C = "a'b.jpg", "b.jpg", "C.png"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("$skip=0&$top=5000", [A, B, C]),
        ("$top=2", [A, B]),
        ("$top=0", []),
        ("$skip=1&$top=1", [B]),
        ("$orderby=Name desc", [C, B, A]),
        ("$orderby=Length desc,Name asc", [C, B, A]),
        ("$orderby=Length&$skip=2", [C]),
        ("$filter=Name eq 'a''b.jpg'", [A]),
        ("$filter=Length gt 2", [C]),
        ("$filter=Length ge 2 and not startswith(Name,'C')", [B]),
        ("$filter=substringof('.jpg',Name) or Length eq 12", [A, B, C]),
        ("$filter=(Name eq 'b.jpg' or Name eq 'C.png') and Exists eq true", [B, C]),
        ("$filter=TimeCreated gt datetime'2020-01-01T00:00:00Z'", [A, B, C]),
        ("$filter=year(TimeCreated) lt 2000", []),
        ("$filter=Title ne null", []),
        ("$filter=Length gt 1&$orderby=Name desc&$top=1", [C]),
    ],
)
def test_results(files: HostSession, query: str, names: list[str]):
    """First the filter, then the order, then the page; numbers and times are not text."""
    answer = files.get(f"{PICTURES}/Files?{query}")
    assert answer.status_code == 200, answer.text
    assert [each["Name"] for each in answer.json()["value"]] == names


@pytest.mark.parametrize(
    "query",
    [
        *("$top=-1", "$top=x", "$skip=1.5", "$search=x", "$count=true", "$skiptoken=x"),
        *("$orderby=Nme", "$orderby=Name up", "$orderby=", "$orderby=Name desc asc"),
        *("$filter=", "$filter=Name", "$filter=Nme eq 'x'", "$filter=Name eq", "$filter=eq eq"),
        *("$filter=Name eq 'x", "$filter=(Name eq 'x'", "$filter=Name eq 'x')", "$filter=not"),
        *("$filter=endswith(Name,'x')", "$filter=tolower(Name) eq 'x'"),
        "$filter=Length add 1 eq 2",
        *("$filter=startswith('x')", "$filter=startsWith(Name,'x')", "$filter=startswith(Name,1)"),
        *("$filter=Name gt 1", "$filter=year(Name) eq 1", "$filter=datetime'x' eq TimeCreated"),
        *("$filter=Name contains 'x'", "$filter=Length eq 1.5", "$filter=" + "(" * 2000),
        "$filter=" + "year(" * 2000,
        *("$expand=Owner", "$expand=Files/Owner"),
    ],
)
def test_refusals(files: HostSession, query: str):
    """Invalid options are 400 with SharePoint's error, never a complete list."""
    answer = files.get(f"{PICTURES}/Files?{query}")

    assert answer.status_code == 400
    assert "InvalidClientQueryException" in answer.json()["odata.error"]["code"]


def test_select(files: HostSession):
    """Only selected members: of a collection, of one entity, and of expanded members."""
    assert files.get(f"{LIBRARY}/Folders?$select=Name&$orderby=Name desc").json()["value"] == [
        {"Name": "Profile Pictures"},
        {"Name": "Forms"},
    ]
    wanted = "$select=Name,Files/Name&$expand=Files"
    assert files.get(f"{PICTURES}?{wanted}").json() == {
        "Name": "Profile Pictures",
        "Files": [{"Name": A}, {"Name": B}, {"Name": C}],
    }
    wanted = "$select=Name,Folders/Name,Folders/Files/Name&$expand=Folders/Files"
    shown = files.get(f"{LIBRARY}?{wanted}").json()
    assert [len(each["Files"]) for each in shown["Folders"]] == [0, 3]


def test_lists(files: HostSession):
    """The library is the only list, and links to its folder."""
    wanted = "$filter=BaseTemplate eq 109&$expand=RootFolder"
    [library] = files.get(f"{WEB}lists?{wanted}").json()["value"]
    same = files.get(f"{WEB}lists(guid'{library['Id']}')", headers={"Accept": "application/json"})

    assert library["RootFolder"]["ServerRelativeUrl"] == "/User Photos"
    assert (library["Title"], library["ItemCount"]) == ("User Photos", 3)
    assert same.json()["Id"] == library["Id"]


def test_options_of_one_entity(running_office: Cloud, files: HostSession):
    """Options for collections are refused for a single entity, also for a profile."""
    running_office.add_user("anne")
    file = f"{PICTURES}/Files('b.jpg')"
    people = "/_api/SP.UserProfiles.PeopleManager"
    profile = f"{people}/GetPropertiesFor(@v)?@v='i:0%23.f|membership|anne@contoso.com'"

    assert files.get(f"{file}?$select=Length").json() == {"Length": "2"}
    assert files.get(f"{file}?$top=1").status_code == 400
    assert files.get(f"{profile}&$select=DisplayName").json() == {"DisplayName": "Anne"}
    assert files.get(f"{profile}&$filter=DisplayName eq 'Anne'").status_code == 400


@pytest.mark.parametrize(
    ("accept", "media", "named"),
    [
        ("application/json;odata=nometadata", "nometadata", False),
        ("application/json; odata.metadata=none", "nometadata", False),
        ("application/json;odata=minimalmetadata", "minimalmetadata", True),
        ("application/json", "minimalmetadata", True),
    ],
)
def test_metadata(files: HostSession, accept: str, media: str, named: bool):
    """The form that Accept requests, also in OData 4's name; every answer has its request's id."""
    answer = files.get(WEB, headers={"Accept": accept})

    assert f"odata={media};" in answer.headers["Content-Type"]
    assert ("odata.metadata" in answer.json()) is named
    assert answer.headers["request-id"] == answer.headers["SPRequestGuid"]
