"""Valid file names in SharePoint."""

from __future__ import annotations

import re
import unicodedata

# All documented (Microsoft, "Restrictions and limitations in OneDrive and SharePoint",
# facts/sharepoint.md section 3): % and # are valid, these characters and names are not.
_CHARACTERS = frozenset('"*:<>?/\\|')
_NAMES = re.compile(
    r"\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini|~\$.*|.*_vti_.*", re.IGNORECASE
)
LONGEST_PATH = 400


def problem(folder: str, name: str) -> str | None:
    """
    Why no file in *folder* can be called *name*; None if it can.

    Documented: the characters, the names, spaces at either end, and 400 characters for the decoded
        path with the file's name.
    Reported: no dot at the end. Assumed: no dot at the start, no control characters; the leading
        slash of the path counts.
    """
    if not name or _CHARACTERS.intersection(name):
        return f"The file name {name!r} is empty or has characters that are not allowed."
    if any(unicodedata.category(character) == "Cc" for character in name):
        return f"The file name {name!r} has control characters."
    if name.strip(" .") != name:
        return f"The file name {name!r} begins or ends with a space or a dot."
    if _NAMES.fullmatch(name):
        return f"The file name {name!r} is reserved."
    if len(f"{folder}/{name}") > LONGEST_PATH:
        return f"The path of the file is longer than {LONGEST_PATH} characters."
    return None
