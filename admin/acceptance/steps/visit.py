"""What a visit of the user changes, with sync state 0 and 1."""

from __future__ import annotations

from admin.acceptance.putting_back import PROPERTIES
from admin.acceptance.scene import Scene
from admin.acceptance.step import Seen, Step
from shared.sharepoint.publisher import SYNC_STATE


def _visit(state: str) -> Step:
    def ask(scene: Scene) -> Seen:
        m365, user = scene.m365, scene.user
        scene.putting_back.remember(m365, user)
        geo, _ = m365.geos.residence(user)
        upn = user.user_principal_name
        geo.sharepoint.set_property(upn, SYNC_STATE, state, not_after=m365.soon())
        _, before = m365.geos.residence(user)
        scene.person.does(f"Sign in as {upn} and open the user's own profile page in SharePoint.")

        def look() -> list[str] | None:
            _, now = m365.geos.residence(user)
            return [name for name in PROPERTIES if now.get(name) != before.get(name)] or None

        changed, seconds = scene.until(look)
        if changed is None:
            return Seen(f"nothing had changed {seconds:.0f} s after the visit")
        return Seen(f"changed after {seconds:.0f} s: {', '.join(changed)}", as_assumed=False)

    return Step(
        f"visit-{state}",
        f"Does Microsoft's own sync write when the user visits with sync state {state}?",
        "it leaves a picture alone that is younger than a day",
        ask,
        writes=True,
    )


WRITING = (_visit("0"), _visit("1"))
