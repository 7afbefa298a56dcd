"""What changes when the user visits their profile, for each state of the picture properties."""

from __future__ import annotations

from collections.abc import Mapping

from admin.acceptance.backup import PROPERTIES
from admin.acceptance.finding import Seen
from admin.acceptance.microsoft365 import unclaimed
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from shared.sharepoint.publisher import SYNC_STATE


def _visit(id_: str, how: str, assumed: str, values: Mapping[str, str]) -> Step:
    def ask(scene: Scene) -> Seen:
        scene.person.must_be_there()
        m365, user = scene.m365, scene.user
        scene.backup.save(m365, user)
        geo, _ = m365.geos.residence(user)
        upn = user.user_principal_name
        for name, value in values.items():
            geo.sharepoint.set_property(upn, name, value, before_write=unclaimed)
        _, before = m365.geos.residence(user)
        scene.person.does(f"Sign in as {upn} and open that user's own profile page in SharePoint.")

        def poll() -> list[str] | None:
            _, now = m365.geos.residence(user)
            return [name for name in PROPERTIES if now.get(name) != before.get(name)] or None

        changed, seconds = scene.until(poll)
        if changed is None:
            return Seen(f"nothing had changed {seconds:.0f} s after the visit")
        return Seen(f"changed after {seconds:.0f} s: {', '.join(changed)}", as_assumed=False)

    question = f"Does Microsoft's own sync write when the user visits with {how}?"
    return Step(id_, question, assumed, ask, writes=True)


_YOUNG = "it leaves a picture that is less than a day old"
WRITING = (
    _visit("visit-0", "sync state 0", _YOUNG, {SYNC_STATE: "0"}),
    _visit("visit-1", "sync state 1", _YOUNG, {SYNC_STATE: "1"}),
    _visit(
        "visit-empty",
        "all four properties empty",
        "perhaps at the next visit, or after an hour or a day; nothing depends on it",
        dict.fromkeys(PROPERTIES, ""),
    ),
)
