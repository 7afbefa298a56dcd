"""The indexes of the tenant's users."""

from __future__ import annotations

from local.m365.tenant.records import User
from local.m365.tenant.roster import Roster


def person(number: int, upn: str) -> User:
    return User(f"0a000000-0000-4000-8000-00000000000{number}", upn, upn, upn)


def test_names_ignore_case_and_follow_a_rename():
    """A user is found by UPN and picture file name; after a rename only by the new ones."""
    roster, anne = Roster(), person(1, "Anne.K@contoso.com")
    roster.add(anne)
    assert roster.named("anne.k@CONTOSO.com") is anne
    assert roster.of_family("anne_k_CONTOSO_com") is anne

    roster.rename(anne, "anne.smith@contoso.com")
    assert roster.named("anne.k@contoso.com") is None
    assert roster.of_family("anne_k_contoso_com") is None
    assert roster.named("anne.smith@contoso.com") is anne


def test_rename_before_joining_is_not_found():
    """A user who is not in the tenant yet can be renamed and is not found."""
    roster, anne = Roster(), person(1, "anne@contoso.com")
    roster.rename(anne, "anne.smith@contoso.com")

    assert anne.user_principal_name == "anne.smith@contoso.com"
    assert roster.named("anne.smith@contoso.com") is None


def test_sharepoint_learns_a_name_late():
    """Until then the old UPN finds the renamed user, even if another user has it in Entra."""
    roster, anne, heir = Roster(), person(1, "anne@contoso.com"), person(2, "anne@contoso.com")
    roster.add(anne)
    roster.rename(anne, "anne.smith@contoso.com")
    roster.add(heir)
    roster.name_in_sharepoint(anne, "anne@contoso.com")

    assert roster.named("anne@contoso.com") is heir
    assert roster.known_to_sharepoint("ANNE@contoso.com") is anne
    assert roster.known_to_sharepoint("anne.smith@contoso.com") is None

    roster.name_in_sharepoint(anne, "")
    assert roster.known_to_sharepoint("anne@contoso.com") is heir
    assert roster.known_to_sharepoint("anne.smith@contoso.com") is anne


def test_removed_user_leaves_namesakes():
    """Of two users with one name the first is found, and the other once the first is removed."""
    roster = Roster()
    first, second = person(1, "anne@contoso.com"), person(2, "anne@contoso.com")
    roster.add(first)
    roster.add(second)

    assert roster.named("anne@contoso.com") is first
    roster.remove(first)
    assert roster.named("anne@contoso.com") is second
    assert list(roster.by_id.values()) == [second]


def test_same_id_replaces():
    """A user with an existing object id replaces that user and their names."""
    roster = Roster()
    roster.add(person(1, "anne@contoso.com"))
    roster.add(person(1, "bert@contoso.com"))

    assert roster.named("anne@contoso.com") is None
    assert len(roster.by_id) == 1
