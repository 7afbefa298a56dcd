"""The id of the app among others that use the same storage account."""

import os
from pathlib import Path

import pytest

from local.host.host_storage import host_id


def test_id_depends_on_the_folder():
    """Two checkouts are two apps; a setting replaces the id."""
    here, there = (host_id({}, Path(place)) for place in ("/here", "/there"))

    assert here != there
    assert host_id({}, Path("/here")) == here
    assert host_id({"AzureFunctionsWebHost__hostid": "Mine"}, Path("/here")) == "mine"


@pytest.mark.skipif(os.name == "nt", reason="paths are text on Windows")
def test_folder_name_outside_the_locale():
    """With LC_ALL=C, the id of a folder called Büro depends on its bytes."""
    assert host_id({}, Path(os.fsdecode(b"/B\xc3\xbcro"))) != host_id({}, Path("/Buro"))
    assert host_id({}, Path("/B\udcc3\udcbcro")).isascii()
