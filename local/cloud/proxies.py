"""A proxy of the surrounding network is for other machines: nobody asks it for this one."""

from collections.abc import Mapping

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_ALL = "*"


def bypassed(environ: Mapping[str, str]) -> dict[str, str]:
    """
    The variables that keep *environ*'s proxies away from this machine; what they named stays.

    In both spellings: some programs read only one, and requests prefers the lower-case one.
    """
    given = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    names = [name.strip() for name in given.split(",") if name.strip()]
    # An asterisk means every host only where it stands alone.
    if names != [_ALL]:
        names += [name for name in _THIS_MACHINE if name not in names]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(names))
