"""SharePoint's `$batch`: requests in a multipart body, each answered like a separate request."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from email.message import Message
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from local.m365 import inner
from local.m365.sharepoint.errors import bad_request

PATH = "/_api/$batch"
LARGEST = 100
_METHODS = ("GET", "POST", "PUT", "PATCH", "MERGE", "DELETE")
_BLANK = re.compile(rb"\r?\n\r?\n")


class Item(NamedTuple):
    """One request of a batch; *url* is its path and query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


async def response(request: Request, base: str) -> Response:
    """
    Run all items one after the other and answer 200 with one answer each, in their order.

    Documented (facts/sharepoint.md section 3): the form of both bodies, at most 100 items, no reads
        in a change set, and a change set is not atomic.
    From tools' sources (PnPjs): the answers of a change set are among the others.
    Assumed: the order of execution, and 400 for any batch that breaks a rule.
    """
    items = [*read(await request.body(), request.headers.get("content-type", ""), base)]
    if not items:
        raise bad_request("The batch has no request.")
    if len(items) > LARGEST:
        raise bad_request(f"The batch has more than {LARGEST} requests.")
    answers = [await inner.answer_to(request, *item) for item in items]
    boundary = f"batchresponse_{uuid.uuid4()}"
    parts = b"".join(_part(boundary, answer) for answer in answers)
    body = parts + f"--{boundary}--\r\n".encode()
    return Response(body, headers={"Content-Type": f'multipart/mixed; boundary="{boundary}"'})


def read(body: bytes, content_type: str, base: str) -> Iterator[Item]:
    """
    The items of *body*, including those of change sets. Raises SharePointError if it is invalid.
    """
    for kind, content in _parts(body, content_type):
        if not kind.startswith("multipart/mixed"):
            yield _item(kind, content, base)
            continue
        for inner_kind, inner_content in _parts(content, kind):
            item = _item(inner_kind, inner_content, base)
            if item.method == "GET":
                raise bad_request("A change set cannot have a GET.")
            yield item


def _parts(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """The content type and the content of each part."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/mixed" or not isinstance(boundary, str):
        raise bad_request("A batch is multipart/mixed with a boundary.")
    mark = rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)"
    # The parts between the boundaries; the text after each says whether that boundary was the last.
    _, *pieces = re.split(mark, body)
    if len(pieces) < 2 or pieces[-2] is None:
        raise bad_request("The batch does not end as it begins.")
    for content in pieces[1:-2:2]:
        head, found, rest = _split(content.lstrip(b"\r\n"))
        if not found:
            raise bad_request("A part of the batch has no content.")
        yield _headers(head).get("content-type", ""), rest


def _item(kind: str, content: bytes, base: str) -> Item:
    if not kind.startswith("application/http"):
        raise bad_request("A part of a batch is application/http.")
    head, _, body = _split(content.lstrip(b"\r\n"))
    first, _, rest = head.partition(b"\n")
    match first.decode("latin-1").split():
        case [method, url, "HTTP/1.1"] if method in _METHODS:
            try:
                parts = urlsplit(url)
            except ValueError as error:
                raise bad_request("A request of the batch has no valid URL.") from error
        case _:
            raise bad_request("A request of the batch does not say METHOD URL HTTP/1.1.")
    if url.partition("/_api/")[0].lower() not in (base.lower(), ""):
        raise bad_request("A request of the batch is for another site.")
    if not parts.path.lower().startswith("/_api/") or parts.path.lower() == PATH:
        raise bad_request("A request of the batch is for /_api/, and is no batch.")
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return Item(method, target, _headers(rest), body.removesuffix(b"\n").removesuffix(b"\r"))


def _split(content: bytes) -> tuple[bytes, bool, bytes]:
    """The text before the first empty line, whether there is such a line, and the text after it."""
    head, *rest = _BLANK.split(content, maxsplit=1)
    return head, bool(rest), rest[0] if rest else b""


def _headers(raw: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in raw.decode("latin-1").splitlines() if line.strip())
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _part(boundary: str, answer: inner.Answer) -> bytes:
    head = [
        f"--{boundary}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
    ]
    if media := answer.headers.get("Content-Type"):
        head.append(f"CONTENT-TYPE: {media}")
    return "\r\n".join([*head, "", ""]).encode() + answer.body + b"\r\n"
