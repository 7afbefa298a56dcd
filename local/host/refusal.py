"""The one error that stops the host before it serves anything."""


class Refused(Exception):
    """Says in one sentence why the real host would not run this app."""
