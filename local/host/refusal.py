"""The one error that stops the host before it serves anything."""


class Refused(Exception):
    """Says in one sentence why this host does not run the app."""


def switched_off(function: str, reason: str) -> Refused:
    """
    Refuse the whole app where the real host would go on without *function*.

    Measured: a function that breaks a rule of the host is off, and the others run. Here nothing
    runs, so that nobody overlooks it.
    """
    return Refused(
        f"Function '{function}': {reason}; the real host would start with this function off"
    )
