"""The photo in Exchange: metadata, bytes, etags, and a user without a mailbox."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

from admin.acceptance import likeness
from admin.acceptance.finding import Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.wording import of_graph, of_media, of_number
from shared.errors import NoMailbox, NoPhoto, UnknownUser
from shared.graph.errors import photo_fault, user_fault
from shared.microsoft365.reply import Reply

# For one app and one mailbox (graph.md section 4, documented).
_MOST = 4


def _photo(scene: Scene) -> Seen:
    metadata = [_get(scene, scene.user.id, "photo") for _ in range(2)]
    contents = [_get(scene, scene.user.id, "photo/$value") for _ in range(2)]
    for reply in (*metadata, *contents):
        if not reply.ok:
            raise photo_fault(reply)
    sides = metadata[0].read(lambda fields: (fields.get("width"), fields.get("height")))
    etags = [
        reply.read(lambda fields: str(fields.get("@odata.mediaEtag") or "")) for reply in metadata
    ]
    bytes_etags = [reply.headers.get("ETag", "") for reply in contents]
    same_bytes = contents[0].body == contents[1].body
    told = [
        f"{'x'.join(map(of_number, sides))}, {_media(contents[0])}",
        f"metadata twice: {_twice(etags)}",
        f"bytes twice: {_twice(bytes_etags)}, {'the same' if same_bytes else 'different'} bytes",
        f"the two are {'equal' if etags[0] == bytes_etags[0] else 'different'}",
    ]
    return Seen("; ".join(told), bool(etags[0]) and len(set(etags)) == 1 and same_bytes)


def _media(reply: Reply) -> str:
    way = "in chunks" if reply.headers.get("Transfer-Encoding") else "with a length"
    packed = " and gzip" if reply.headers.get("Content-Encoding") else ""
    return f"{of_media(reply)} {way}{packed}"


def _twice(etags: list[str]) -> str:
    if not etags[0]:
        return "no etag"
    return "the same etag" if len(set(etags)) == 1 else "another etag each time"


def _scaled(scene: Scene) -> Seen:
    whole = _get(scene, scene.user.id, "photo/$value")
    scaled = _get(scene, scene.user.id, "photos/648x648/$value")
    small = _get(scene, scene.user.id, "photos/48x48/$value")
    told = ", ".join(
        f"{name} {of_graph(reply)} {_side(reply)}".strip()
        for name, reply in (("whole", whole), ("648x648", scaled), ("48x48", small))
    )
    # A missing size is an error or a single pixel.
    is_known = scaled.ok or isinstance(photo_fault(scaled), NoPhoto)
    # A photo that is not square may keep its shape; then the longer side has the size.
    return Seen(told, is_known and "48" in _side(small).split("x"))


def _at_once(scene: Scene) -> Seen:
    refused = scene.m365.traffic.refusals[429]
    with ThreadPoolExecutor(_MOST) as pool:
        replies = list(pool.map(lambda _: _get(scene, scene.user.id, "photo"), range(_MOST)))
    refused = scene.m365.traffic.refusals[429] - refused
    told = f"{sum(reply.ok for reply in replies)} of {_MOST} answered, {refused} throttled at first"
    return Seen(told, not refused and all(reply.ok for reply in replies))


def _side(reply: Reply) -> str:
    return likeness.side(reply.body) if reply.ok else ""


def _unknown_user(scene: Scene) -> Seen:
    reply = scene.m365.graph_http.send("GET", f"/v1.0/users/{uuid.uuid4()}")
    return Seen(of_graph(reply), isinstance(user_fault(reply), UnknownUser))


def _of_the_unlicensed(scene: Scene) -> Seen:
    metadata = _get(scene, scene.unlicensed.id, "photo")
    content = _get(scene, scene.unlicensed.id, "photo/$value")
    told = f"metadata {of_graph(metadata)}, bytes {of_graph(content)}"
    if metadata.ok:
        if metadata.read(lambda fields: str(fields.get("id"))).lower() == "1x1":
            return Seen(f"{told}: the pixel that stands for no photo")
        return Seen(f"{told}: there is a photo, so v1.0 falls back to Entra's", as_assumed=False)
    is_known = isinstance(photo_fault(metadata), NoPhoto | NoMailbox)
    return Seen(told, is_known)


def _get(scene: Scene, user_id: str, what: str) -> Reply:
    return scene.m365.graph_http.send("GET", f"/v1.0/users/{user_id}/{what}")


STEPS = (
    Step(
        "photo",
        "Do metadata and bytes of a photo keep their etags, and are the etags equal?",
        "the same etag each time until the photo changes; the two are never compared",
        _photo,
    ),
    Step(
        "photo-sizes",
        "What is the answer for a size that the photo has, and for one that it may not have?",
        "a JPEG of that size, or an answer that means no photo",
        _scaled,
    ),
    Step(
        "photos-at-once",
        f"Are {_MOST} concurrent requests for one mailbox's photo answered?",
        "all are, as documented",
        _at_once,
    ),
    Step(
        "unknown-user",
        "What does Graph answer for an unknown object id?",
        "404 Request_ResourceNotFound",
        _unknown_user,
    ),
    Step(
        "unlicensed-photo",
        "What does Graph answer for a user without a mailbox, and does it show Entra's photo?",
        "a code that means no photo or no mailbox, or the pixel 1x1",
        _of_the_unlicensed,
    ),
)
