"""What an audit finds wrong with our picture, in a sentence, and whether it is to be repaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.sharepoint.picture_location import Shown
from shared.written_file import WrittenFile

# The property, and its value while the profile shows the picture (sharepoint.md section 2,
# recorded).
PLACEHOLDER_STATE, SHOWS_PICTURE = "SPS-PicturePlaceholderState", "0"
_FILES = ("small", "middle", "large")


@dataclass(frozen=True)
class Inspection:
    """
    The state of our picture in SharePoint: `damage` is a sentence, empty if nothing is wrong.

    If it is empty, `files` are ours as SharePoint has them now, unless the profile is `outdated`:
    correct, but not as we would write it today, though nobody has edited it.
    """

    damage: str
    files: tuple[WrittenFile, ...] = ()
    outdated: str = ""


def profile_inspected(profile: Mapping[str, str], shown: Shown, ours: Shown) -> Inspection:
    """Whether *profile*, whose PictureURL is *shown*, shows our files, *ours*."""
    if not shown.url:
        return Inspection("The profile shows no picture any more.")
    if shown.location != ours.location:
        return Inspection("The profile shows files that PhotoSync did not write.")
    if profile.get(PLACEHOLDER_STATE) != SHOWS_PICTURE:
        return Inspection("The profile shows its placeholder instead of the picture.")
    if not shown.is_here:
        # After a tenant rename this applies to all users, and must not trip the brake as damage.
        former = "The profile shows the picture at a former address of the tenant."
        return Inspection("", outdated=former)
    return Inspection("")


def inspected(found: Sequence[WrittenFile | None]) -> Inspection:
    """The result for the files *found*: small, middle and large."""
    missed = [name for name, file in zip(_FILES, found, strict=True) if file is None]
    if missed:
        return Inspection(f"Somebody has changed or deleted a file: {', '.join(missed)}.")
    return Inspection("", tuple(file for file in found if file))
