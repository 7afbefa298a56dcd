"""What a person is told of a file or folder that cannot be used: one sentence."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_RIGHT = "this account may not; have the owner delete it, or choose another place"
_A_FILE = "a file is where a folder must be; move the file away"
_WHAT_TO_DO = {
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: "it is on a read-only disk; choose another place",
    errno.EEXIST: _A_FILE,
    errno.ENOTDIR: _A_FILE,
    errno.EISDIR: "a folder is where a file must be; move the folder away",
    errno.ENAMETOOLONG: "its path is too long; choose a shorter one",
}


def is_about_a_file(error: OSError) -> bool:
    """Whether *error* came from a file, folder or disk; sockets raise OSError, too."""
    return error.filename is not None or error.errno in _FULL


def sentence(error: OSError) -> str:
    """What is wrong with what *error* names, or with the output, and what to do."""
    if error.errno in _FULL:
        # Writing tells no name: it may be what stdout leads to, or any file.
        return "The disk is full: make room, then try again."
    why = _WHAT_TO_DO.get(error.errno or 0, error.strerror or str(error))
    name = "the output" if error.filename is None else error.filename
    return f"Could not use {name}: {why}."
