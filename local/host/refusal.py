"""The only error that stops the host before it serves requests."""


class Refused(Exception):
    """Says in one sentence why this host does not run the app."""


def switched_off(function: str, reason: str) -> Refused:
    """
    The refusal of the whole app for a fault after which the real host continues without *function*.

    Measured: a function that breaks a rule of the host is left out, and the others run. Here
    nothing runs, so that the fault is noticed.
    """
    return Refused(
        f"Function '{function}': {reason}; the real host would start without this function"
    )
