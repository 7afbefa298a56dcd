"""Graph's answers about a user and a photo, alone and in a batch."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import requests

from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoPhoto,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.graph.client import Fetched, GraphClient
from shared.user import User
from tests.doubles.web import Answer, Web, answer, http

ID = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
ANNE = User(ID, "anne@contoso.com", account_enabled=True, is_guest=False)
FIELDS = {
    "id": ID,
    "userPrincipalName": "anne@contoso.com",
    "accountEnabled": True,
    "userType": "Member",
}
PHOTO = b"\xff\xd8\xff\xfb\xef\xbe"  # in base64 with + and /
ETAG = 'W/"c2f1"'


def client(web: Web) -> GraphClient:
    return GraphClient(http(web, audience="https://graph.contoso.com"))


class Batches:
    """Answers batches; *inner* answers one request. `sizes` are the numbers of requests."""

    def __init__(self, inner: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.sizes: list[int] = []
        self._inner = inner
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        parts = json.loads(request.body or b"")["requests"]
        with self._lock:
            self.sizes.append(len(parts))
            responses = [{**self._inner(each), "id": each["id"]} for each in reversed(parts)]
        return answer({"responses": responses})


def graph_error(code: str, status: int, **headers: str) -> Answer:
    return answer({"error": {"code": code, "message": "In words."}}, status, **headers)


PHOTO_FAULTS = [
    ("ImageNotFound", 404, NoPhoto),
    ("ErrorEntityNotFound", 404, NoPhoto),
    ("ErrorItemNotFound", 404, NoPhoto),
    ("GetUserPhoto", 404, NoPhoto),
    ("ResourceNotFound", 404, NoMailbox),
    ("AuthenticationError", 400, NoMailbox),
    ("Request_ResourceNotFound", 404, UnknownUser),
    ("ErrorInvalidUser", 404, UnknownUser),
    ("ErrorNonExistentMailbox", 404, NoMailbox),
    ("ErrorNonExistentMailbox", 400, NoMailbox),
    ("MailboxNotHostedInExchangeOnline", 404, NoMailbox),
    ("MailboxNotEnabledForRESTAPI", 403, NoMailbox),
    ("Authorization_RequestDenied", 403, AccessDenied),
    ("BadRequest", 400, Refused),
    ("Request_ResourceNotFound", 400, Refused),
    ("ErrorItemNotFound", 400, Refused),
    ("TooManyRequests", 429, Throttled),
    ("UnknownError", 500, ServiceDown),
]
# The sentences of errors that do not quote the response.
SENTENCES: dict[type[PhotoSyncError], str] = {
    NoPhoto: "The user has no photo in Exchange.",
    NoMailbox: "The user has no mailbox in Exchange Online, so there is no photo.",
    UnknownUser: "Microsoft Graph has no such user.",
}
PHOTO_FAULT_IDS = [f"{status} {code}" for code, status, _ in PHOTO_FAULTS]


def inner(key: str, body: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"id": key, "status": status, "headers": named, "body": body}


def error_body(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "In words."}}


def text_of(photo: bytes) -> str:
    return base64.b64encode(photo).decode()


USER = inner("user", FIELDS)
IMAGE = inner("photo", text_of(PHOTO), Content_Type="image/jpeg")
AFTER = inner("etag", {"id": "504X504", "@odata.mediaEtag": ETAG})
SKIPPED = inner("etag", error_body("FailedDependency"), 424)
FETCHED = Fetched(ANNE, PHOTO, ETAG)


def batch(*responses: dict[str, Any]) -> Answer:
    return answer({"responses": responses})


SHAPES: list[Any] = [None, [], "text", 5, {}, {"value": []}, [FIELDS]]
SHAPE_IDS = ["null", "empty list", "text", "number", "empty object", "value", "list"]


def batch_of(**answers: tuple[int, Any]) -> Answer:
    said = [{"id": key, "status": s, "body": body} for key, (s, body) in answers.items()]
    return answer({"responses": said})
