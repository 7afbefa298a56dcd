"""The users for `replay`: from the command line and a file, without duplicates."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import BinaryIO

from admin.terminal.problems import Unusable

# A guest's UPN contains #EXT#: a comment starts a line, or follows a space.
_COMMENT = re.compile(r"(^|\s)#.*")


def read(file: BinaryIO) -> list[str]:
    """One user a line; blank lines and comments are skipped. Raises Unusable."""
    content = file.read()
    # PowerShell 5 redirects as UTF-16, and Notepad may write a byte order mark before UTF-8.
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable("The file is not UTF-8 text: save it as UTF-8, one user a line.") from error
    return [user for line in text.splitlines() if (user := _COMMENT.sub("", line).strip())]


def distinct(users: Iterable[str]) -> list[str]:
    """Each user once, ignoring case, in the order of first mention."""
    found: dict[str, str] = {}
    for user in users:
        found.setdefault(user.casefold(), user)
    return list(found.values())
