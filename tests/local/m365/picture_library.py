"""Paths of the simulated picture library, and its recorded error codes."""

from __future__ import annotations

import requests

from tests.local.m365.simulator import HostSession

FOLDER = "/User Photos/Profile Pictures"
WEB = "/_api/web/"
LIBRARY = f"{WEB}GetFolderByServerRelativePath(decodedurl='/User Photos')"
PICTURES = f"{WEB}GetFolderByServerRelativePath(decodedurl='{FOLDER}')"
ADD = f"{PICTURES}/Files/AddUsingPath"
NO_FILE = "-2130575338, Microsoft.SharePoint.SPException"
NO_FOLDER = "-2147024894, System.IO.FileNotFoundException"
OUTSIDE = "-2147024809, System.ArgumentException"
DENIED = "-2147024891, System.UnauthorizedAccessException"


def file_path(name: str) -> str:
    return f"{WEB}GetFileByServerRelativePath(decodedurl='{FOLDER}/{name}')"


def upload(
    session: HostSession, name: str, content: bytes, folder: str = "Profile Pictures"
) -> requests.Response:
    at = f"{WEB}GetFolderByServerRelativePath(decodedurl='/User Photos/{folder}')"
    path = f"{at}/Files/AddUsingPath(decodedurl='{name}',overwrite=true)"
    return session.post(path, data=content)
