"""A person changes a photo: whether a notification arrives, and when."""

from __future__ import annotations

import contextlib

from admin.acceptance.finding import NotRun, Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.terminal.fields import Fields

_SWEPT = ("startedAt", "finishedAt")


def _notification(scene: Scene) -> Seen:
    app, user = scene.app, scene.user.id
    if scene.direct is not None:
        scene.backup.save(scene.m365, scene.user)
    before, swept = _synced(scene), _sweep(scene)
    upn = scene.user.user_principal_name
    former = f"Restore the former photo of {upn} in Exchange."
    scene.backup.add_instruction(former)
    try:
        scene.person.does(
            f"Change the photo of {upn} in Exchange now, in Outlook or through Graph."
        )
    except NotRun:
        scene.backup.remove_instruction(former)
        raise

    def poll() -> Fields | None:
        state = app.console.state(user).part("state")
        return state if state.text("syncedAt") != before else None

    state, seconds = scene.until(poll)
    is_swept = _sweep(scene) != swept
    told = _in_words(state, seconds, is_swept=is_swept)
    with contextlib.suppress(NotRun):
        scene.person.does(former)
        scene.backup.remove_instruction(former)
    # In any case SharePoint must show the former photo in the end.
    app.copy(user, force=False, seconds=scene.limit)
    if is_swept:
        raise NotRun(told)
    return Seen(told, state is not None)


def _in_words(state: Fields | None, seconds: float, *, is_swept: bool) -> str:
    if is_swept:
        return "a sweep ran meanwhile and may have found the photo: repeat the test"
    if state is None:
        return f"none arrived within {seconds:.0f} s; the next sweep finds the photo"
    return (
        f"it arrived: the app had copied the photo {seconds:.1f} s later; its content is in the "
        "app's log (notifications.accepted)"
    )


def _synced(scene: Scene) -> str:
    return scene.app.console.state(scene.user.id).part("state").text("syncedAt")


def _sweep(scene: Scene) -> tuple[str, ...]:
    sweep = scene.app.console.overview().part("sweep")
    return tuple(sweep.text(name) for name in _SWEPT)


WRITING = (
    Step(
        "notification",
        "Does a change of the photo alone send a notification, and when?",
        "one arrives within seconds; if none does, a sweep finds the photo within the hour",
        _notification,
        writes=True,
    ),
)
