"""Addresses of the simulated picture library, and its recorded error codes."""

from __future__ import annotations

import requests

from tests.local.m365.simulator import Cloud

FOLDER = "/User Photos/Profile Pictures"
ADD = f"GetFolderByServerRelativePath(decodedurl='{FOLDER}')/Files/AddUsingPath"
NO_FILE = "-2130575338, Microsoft.SharePoint.SPException"
NO_FOLDER = "-2147024894, System.IO.FileNotFoundException"
OUTSIDE = "-2147024809, System.ArgumentException"
DENIED = "-2147024891, System.UnauthorizedAccessException"


def web(office: Cloud, path: str) -> str:
    return f"{office.tenant.urls.my}/_api/web/{path}"


def file_url(office: Cloud, name: str) -> str:
    return web(office, f"GetFileByServerRelativePath(decodedurl='{FOLDER}/{name}')")


def upload(office: Cloud, my: requests.Session, name: str, content: bytes) -> requests.Response:
    return my.post(web(office, f"{ADD}(decodedurl='{name}',overwrite=true)"), data=content)
