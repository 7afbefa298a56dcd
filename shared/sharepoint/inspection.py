"""What an audit finds wrong with a picture of ours, in words; which of it is repaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.sharepoint.picture_location import Shown
from shared.written_file import WrittenFile

# As a profile has it while it shows the picture (sharepoint.md section 2, recorded).
PLACEHOLDER_STATE, SHOWS_PICTURE = "SPS-PicturePlaceholderState", "0"
_FILES = ("small", "middle", "large")


@dataclass(frozen=True)
class Inspection:
    """
    What pages show of a picture of ours: `damage` in a sentence, empty where nothing is wrong.

    Then `files` are ours as SharePoint has them now, unless the profile is `outdated`: right, but
    not as we would write it today, and by nobody's doing.
    """

    damage: str
    files: tuple[WrittenFile, ...] = ()
    outdated: str = ""


def profile_inspected(profile: Mapping[str, str], shown: Shown, ours: Shown) -> Inspection:
    """Whether a profile that has *shown* so far shows the files that are *ours*."""
    if not shown.url:
        return Inspection("The profile shows no picture any more.")
    if shown.location != ours.location:
        return Inspection("The profile shows other files than those that PhotoSync wrote.")
    if profile.get(PLACEHOLDER_STATE) != SHOWS_PICTURE:
        return Inspection("The profile shows its placeholder in place of the picture.")
    if not shown.is_here:
        # A renamed tenant has all of them so: no brake is to take that for damage.
        former = "The profile shows the picture at a former address of the tenant."
        return Inspection("", outdated=former)
    return Inspection("")


def inspected(found: Sequence[WrittenFile | None]) -> Inspection:
    """What follows from the files that were *found*: small, middle and large."""
    missed = [name for name, file in zip(_FILES, found, strict=True) if file is None]
    if missed:
        return Inspection(f"Somebody has changed or deleted a file: {', '.join(missed)}.")
    return Inspection("", tuple(file for file in found if file))
