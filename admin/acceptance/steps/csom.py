"""Several profile properties in one request, through the older client protocol (CSOM)."""

from __future__ import annotations

import re

from admin.acceptance.finding import Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from shared import stopwatch
from shared.errors import Refused
from shared.microsoft365.reply import Reply
from shared.sharepoint import process_query
from shared.sharepoint.account import account_name
from shared.sharepoint.form_digest import FormDigest
from shared.sharepoint.publisher import SYNC_STATE, TIMESTAMP

_SECONDS = re.compile(r"[0-9]{1,15}")
_TYPE = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)*")


def _several(scene: Scene) -> Seen:
    m365, user = scene.m365, scene.user
    scene.backup.save(m365, user)
    geo, profile = m365.geos.residence(user)
    # A longer value is not a timestamp, and Python refuses to parse thousands of digits.
    stamp = profile.get(TIMESTAMP, "")[:20]
    wanted = {
        SYNC_STATE: "0" if profile.get(SYNC_STATE) == "1" else "1",
        TIMESTAMP: str(int(stamp) + 1) if _SECONDS.fullmatch(stamp) else "63000000000",
    }
    http = m365.http("sharepoint", geo.admin_url)
    headers = process_query.headers(FormDigest(http, stopwatch.ticks).get())

    def written(wanted: dict[str, str]) -> tuple[Reply, int]:
        body = process_query.body(account_name(user.user_principal_name), wanted)
        reply = http.send("POST", process_query.PATH, headers=headers, body=body)
        _, after = m365.geos.residence(user)
        return reply, sum(after.get(name) == value for name, value in wanted.items())

    reply, count = written(wanted)
    error = _error(reply)
    told = (
        f"{reply.status} {f'with {error}' if error else 'without an error'}; {count} of 2 written"
    )
    if error or count < len(wanted):
        return Seen(told, as_assumed=False)
    # As in a removal.
    _, emptied = written({SYNC_STATE: ""})
    return Seen(
        f"{told}; an empty value {'clears' if emptied else 'does not clear'} a property",
        emptied == 1,
    )


def _error(reply: Reply) -> str:
    """The error's type; empty if there is none. An error may come with status 200."""
    try:
        told = process_query.failure(reply)
    except Refused:
        return "an answer that cannot be understood"
    if told is None:
        return ""
    kind = told.code.rpartition(", ")[2]
    return kind if _TYPE.fullmatch(kind) else "an error"


WRITING = (
    Step(
        "csom",
        "Does ProcessQuery accept several properties of one profile in one request from an app?",
        "yes, in order, and an empty value clears a property; if not, the product writes them one "
        "by one",
        _several,
        writes=True,
    ),
)
