"""The users that `replay` is asked for: from the command line, from a file, without doubles."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import BinaryIO

from admin.terminal.problems import Unusable

# A guest's UPN has #EXT# in it: a comment begins a line, or stands behind a space.
_COMMENT = re.compile(r"(^|\s)#.*")


def read(file: BinaryIO) -> list[str]:
    """One user a line; blank lines and comments are left out. Raises Unusable."""
    content = file.read()
    # PowerShell 5 writes UTF-16 when it redirects, and Notepad a mark before UTF-8.
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(
            "The file is not text in UTF-8: save it as UTF-8, one user a line."
        ) from error
    return [user for line in text.splitlines() if (user := _COMMENT.sub("", line).strip())]


def distinct(users: Iterable[str]) -> list[str]:
    """Each user once, in the order of first mention; case makes no difference."""
    found: dict[str, str] = {}
    for user in users:
        found.setdefault(user.casefold(), user)
    return list(found.values())
