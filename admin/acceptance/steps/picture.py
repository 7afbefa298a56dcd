"""What pages show: `userphoto.aspx` compared with the files, before and after a new picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from admin.acceptance import likeness
from admin.acceptance.finding import NotRun, Seen
from admin.acceptance.likeness import WRITTEN, Known
from admin.acceptance.microsoft365 import SIZES, unclaimed
from admin.acceptance.scene import Copied, Scene
from admin.acceptance.step import Step
from shared.errors import NoMailbox, NoPhoto
from shared.user import User

Whom = Callable[[Scene], User]
# A longer delay means a cache.
_AT_ONCE = 5.0


def _user(scene: Scene) -> User:
    return scene.user


def _unlicensed(scene: Scene) -> User:
    return scene.unlicensed


def _at_rest(whom: Whom) -> Callable[[Scene], Seen]:
    """Whether each size is the library's file, byte for byte; writes nothing."""

    def ask(scene: Scene) -> Seen:
        user = whom(scene)
        library = scene.m365.library(user)
        if library is None:
            raise NotRun("the profile shows no picture of the library yet")
        photo = _photo(scene, user)
        shown = pictures_shown(scene, user, [Known(file, photo=photo) for file in library.files])
        sides = ", ".join(likeness.side(file) for file in library.files if file)
        return Seen(f"{in_words(shown)}; files of {sides}", set(shown.values()) == {WRITTEN})

    return ask


def _by_name(scene: Scene) -> Seen:
    upn = scene.user.user_principal_name
    by_upn, by_account = (
        scene.m365.userphoto(scene.user, "M", called=name)
        for name in (upn, f"i:0#.f|membership|{upn}")
    )
    is_same = by_upn.ok and by_upn.body == by_account.body
    statuses = f"by UPN {by_upn.status}, by account {by_account.status}"
    return Seen(f"{statuses}: {'the same' if is_same else 'another'} picture", is_same)


def _new_picture(whom: Whom) -> Callable[[Scene], Seen]:
    """Write a new picture, and wait until pages show it or the limit is reached."""

    def ask(scene: Scene) -> Seen:
        user, m365 = whom(scene), scene.m365
        # So that any cache holds the old picture.
        first = [m365.userphoto(user, size).body for size in SIZES]
        scene.backup.save(m365, user)
        library, photo = m365.library(user), _photo(scene, user)
        plan, pictures = m365.plan(user), m365.pictures(likeness.drawn())
        files = m365.publisher.publish(plan, pictures, before_write=unclaimed)
        scene.written[user.id] = Copied(plan, pictures, files)
        former = library.files if library else (None,) * len(SIZES)
        known = [
            Known(picture, before=before, photo=photo, shown=shown)
            for picture, before, shown in zip(pictures, former, first, strict=True)
        ]
        last: dict[str, str] = {}

        def poll() -> bool | None:
            last.update(pictures_shown(scene, user, known))
            return True if set(last.values()) == {WRITTEN} else None

        found, seconds = scene.until(poll)
        if found is None:
            return Seen(f"after {seconds:.0f} s still: {in_words(last)}", as_assumed=False)
        return Seen(f"all three shown after {seconds:.1f} s", seconds <= _AT_ONCE)

    return ask


def _etags(scene: Scene) -> Seen:
    copied = scene.written.get(scene.user.id)
    if copied is None:
        raise NotRun("nothing was written before")
    client = (copied.plan.geo or scene.m365.geos.home).sharepoint
    folder, names = copied.plan.location.folder, copied.plan.location.files
    moved = changed = 0
    for name, file, content in zip(names, copied.files, copied.pictures, strict=True):
        found = client.file(folder, name)
        moved += found is None or found.etag != file.etag
        changed += client.picture(folder, name) != content
    return Seen(f"the ETag changed for {moved} of 3 files, the bytes for {changed}", changed == 0)


def _photo(scene: Scene, user: User) -> bytes | None:
    try:
        return scene.m365.graph.photo(user.id)
    except (NoPhoto, NoMailbox):
        return None


def pictures_shown(scene: Scene, user: User, known: Sequence[Known]) -> dict[str, str]:
    """What pages show of the user in each size, described with the pictures in *known*."""
    return {
        size: likeness.named(scene.m365.userphoto(user, size), each)
        for size, each in zip(SIZES, known, strict=True)
    }


def in_words(shown: Mapping[str, str]) -> str:
    """What `pictures_shown` found, in one sentence."""
    if len(set(shown.values())) == 1:
        return f"S, M and L: {next(iter(shown.values()))}"
    return "; ".join(f"{size}: {what}" for size, what in shown.items())


_ASSUMED = "the file of that size, byte for byte"
STEPS = (
    Step(
        "userphoto",
        "What does userphoto.aspx show in sizes S, M and L?",
        _ASSUMED,
        _at_rest(_user),
    ),
    Step(
        "unlicensed-userphoto",
        "The same for a user without a licence, whose picture may come from another service",
        _ASSUMED,
        _at_rest(_unlicensed),
    ),
    Step(
        "userphoto-name",
        "Does userphoto.aspx find a user by UPN and by account name?",
        "both lead to the same picture",
        _by_name,
    ),
)
WRITING = (
    Step(
        "old-picture",
        "After a new picture is written, how long do pages show the old one?",
        f"pages follow the new timestamp within {_AT_ONCE:.0f} s",
        _new_picture(_user),
        writes=True,
    ),
    Step(
        "unlicensed-old-picture",
        "The same for a user without a licence",
        f"pages follow the new timestamp within {_AT_ONCE:.0f} s",
        _new_picture(_unlicensed),
        writes=True,
    ),
    Step(
        "library-etags",
        "Does the library change a file's ETag or bytes after the upload?",
        "the bytes stay; the ETag may change",
        _etags,
        writes=True,
    ),
)
