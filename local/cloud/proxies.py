"""Makes sure that a network proxy is not used for this machine itself."""

from collections.abc import Mapping

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_ALL = "*"


def bypassed(environ: Mapping[str, str]) -> dict[str, str]:
    """
    The variables that exclude this machine from *environ*'s proxies; existing entries stay.

    In both cases: some programs read only one, and requests prefers lower case.
    """
    given = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    names = [name.strip() for name in given.split(",") if name.strip()]
    # An asterisk means every host only if it is the only entry.
    if names != [_ALL]:
        names += [name for name in _THIS_MACHINE if name not in names]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(names))
