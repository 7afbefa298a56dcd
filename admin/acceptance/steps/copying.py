"""A forced copy, by the deployed app or with a certificate, and what pages show afterwards."""

from __future__ import annotations

from admin.acceptance.finding import NotRun, Seen
from admin.acceptance.likeness import WRITTEN, Known
from admin.acceptance.microsoft365 import unclaimed
from admin.acceptance.scene import Copied, Scene
from admin.acceptance.step import Step
from admin.acceptance.steps.picture import in_words, pictures_shown
from admin.terminal.fields import Fields
from shared.sharepoint.picture_location import PICTURE_URL


def _copy(scene: Scene) -> Seen:
    return _by_the_app(scene) if scene.deployed else _by_ourselves(scene)


def _by_the_app(scene: Scene) -> Seen:
    user = scene.user.id
    if scene.direct is not None:
        scene.backup.save(scene.m365, scene.user)
    elif not scene.app.console.user(user).flag("agree"):
        # Without a certificate nothing can be restored, so the copy must not change anything.
        raise NotRun(
            "the sides differ, and without a certificate nothing could be restored: give "
            "--settings, or replay the user first"
        )
    answer = scene.app.copy(user, force=True, seconds=scene.limit)
    state = answer.part("state")
    if state.text("reason") == "dry-run":
        raise NotRun("DRY_RUN is on in the app, so nothing was written")
    return Seen(f"{_status(state)}; {_agreement(answer)}", answer.flag("agree"))


def _status(state: Fields) -> str:
    """The app's status and reason; only words in the form of a code are shown."""
    words = (state.text("status"), state.text("reason"))
    return " ".join(word for word in words if word.replace("-", "").isalpha()) or "no status"


def _agreement(answer: Fields) -> str:
    if answer.raw.get("agree") is None:
        return "the sides could not be compared"
    return "both sides agree" if answer.flag("agree") else "both sides differ"


def _by_ourselves(scene: Scene) -> Seen:
    m365, user = scene.m365, scene.user
    scene.backup.save(m365, user)
    fetched = m365.graph.user_and_photo(user.id)
    plan, pictures = m365.plan(user), m365.pictures(fetched.photo)
    files = m365.publisher.publish(plan, pictures, before_write=unclaimed)
    scene.written[user.id] = Copied(plan, pictures, files)
    found = m365.publisher.find(plan, files)
    _, profile = m365.geos.residence(user)
    right = sum(file is not None for file in found)
    wrong = [name for name, value in plan.changes.items() if profile.get(name) != value]
    shown = profile.get(PICTURE_URL) == plan.picture_url
    text = f"{right} of 3 files as written, {len(plan.changes)} properties written"
    if wrong:
        text += f"; these have another value: {', '.join(wrong)}"
    return Seen(text, right == len(pictures) and not wrong and shown)


def _shown(scene: Scene) -> Seen:
    library = scene.m365.library(scene.user)
    if library is None:
        raise NotRun("the profile shows no picture of the library")
    photo = scene.m365.graph.photo(scene.user.id)
    known = [Known(file, photo=photo) for file in library.files]
    last: dict[str, str] = {}

    def poll() -> bool | None:
        last.update(pictures_shown(scene, scene.user, known))
        return True if set(last.values()) == {WRITTEN} else None

    found, seconds = scene.until(poll)
    if found is None:
        return Seen(f"after {seconds:.0f} s still: {in_words(last)}", as_assumed=False)
    return Seen(f"{in_words(last)}, after {seconds:.1f} s")


WRITING = (
    Step(
        "copy",
        "Does a forced copy arrive in the files and the profile?",
        "three files, and the properties that differed, as written",
        _copy,
        writes=True,
    ),
    Step(
        "copy-shown",
        "What does userphoto.aspx show in sizes S, M and L after the copy?",
        "the file of that size, byte for byte",
        _shown,
        writes=True,
    ),
)
