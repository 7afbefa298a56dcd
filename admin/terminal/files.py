"""The sentence for a file or folder that cannot be used."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_RIGHT = "permission denied; ask its owner to delete it, or choose another place"
_A_FILE = "it must be a folder, but it is a file; move the file away"
_WHAT_TO_DO = {
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: "it is on a read-only disk; choose another place",
    errno.EEXIST: _A_FILE,
    errno.ENOTDIR: _A_FILE,
    errno.EISDIR: "it must be a file, but it is a folder; move the folder away",
    errno.ENAMETOOLONG: "its path is too long; choose a shorter one",
}


def is_about_a_file(error: OSError) -> bool:
    """Whether *error* is about a file, folder or disk; sockets raise OSError, too."""
    return error.filename is not None or error.errno in _FULL


def sentence(error: OSError) -> str:
    """What is wrong with the file that *error* names, or with the output, and what to do."""
    if error.errno in _FULL:
        # A failed write names no file: it may be stdout or any other file.
        return "The disk is full: make room, then try again."
    why = _WHAT_TO_DO.get(error.errno or 0, error.strerror or str(error))
    name = "the output" if error.filename is None else error.filename
    return f"Could not use {name}: {why}."
