"""How the host names the app among others that use the same storage account."""

import os
from pathlib import Path

import pytest

from local.host.host_storage import host_id


def test_name_is_of_the_place():
    """Two checkouts are two apps; a setting gives one of them another name."""
    here, there = (host_id({}, Path(place)) for place in ("/here", "/there"))

    assert here != there
    assert host_id({}, Path("/here")) == here
    assert host_id({"AzureFunctionsWebHost__hostid": "Mine"}, Path("/here")) == "mine"


@pytest.mark.skipif(os.name == "nt", reason="a path is text there, whatever the language")
def test_folder_that_the_language_has_no_letters_for():
    """With LC_ALL=C a folder called Büro is known by its bytes alone."""
    assert host_id({}, Path(os.fsdecode(b"/B\xc3\xbcro"))) != host_id({}, Path("/Buro"))
    assert host_id({}, Path("/B\udcc3\udcbcro")).isascii()
