"""The doctor checks the groups that settings name, in the simulated Microsoft 365."""

from __future__ import annotations

import pytest

from local.m365.tenant.records import Group
from tests.shared.doctor.clinic import Clinic

PILOT = "0c000000-0000-4000-8000-000000000009"
LEFT_OUT = "0c000000-0000-4000-8000-00000000000a"
BOTH = {"SYNC_GROUP_ID": PILOT, "EXCLUDED_GROUP_ID": LEFT_OUT}


@pytest.fixture
def group_clinic(clinic: Clinic) -> Clinic:
    """A deployment whose app may read groups; the tenant has two."""
    clinic.register(graph_roles=clinic.app.graph_roles | {"GroupMember.Read.All"})
    anne = next(iter(clinic.tenant.users.values()))
    clinic.tenant.groups |= {PILOT: Group({anne.id}, "Pilot"), LEFT_OUT: Group(set(), "No photos")}
    return clinic


def test_both_groups_are_told(group_clinic: Clinic):
    """Each group is reported with its name and the number of users in it."""
    examined = group_clinic.examine(BOTH)
    detail = examined.of("groups").detail

    assert examined.ok
    assert 'SYNC_GROUP_ID is "Pilot". Users in it, including nested groups: 1.' in detail
    assert 'EXCLUDED_GROUP_ID is "No photos". Users in it, including nested groups: 0.' in detail


def test_deleted_group(group_clinic: Clinic):
    """A deleted group is named by its setting, and users can still be listed."""
    del group_clinic.tenant.groups[LEFT_OUT]
    examined = group_clinic.examine(BOTH)

    assert examined.causes == ["groups"]
    assert "EXCLUDED_GROUP_ID" in examined.of("groups").detail
    assert "object id of an existing group" in examined.of("groups").action


def test_hidden_members(group_clinic: Clinic):
    """A group that hides its members cannot be used, and the report says so."""
    group_clinic.tenant.groups[LEFT_OUT].visibility = "HiddenMembership"

    found = group_clinic.examine({"EXCLUDED_GROUP_ID": LEFT_OUT}).of("groups")

    assert "hides its members" in found.detail
