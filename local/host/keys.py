"""The access keys of the function app and what each allows."""

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """The host key opens every function, the master key also the admin routes."""

    host: str
    master: str

    @classmethod
    def generate(cls) -> "Keys":
        return cls(host=secrets.token_urlsafe(40), master=secrets.token_urlsafe(40))

    @classmethod
    def load(cls, path: Path) -> "Keys":
        return cls(**json.loads(path.read_text("utf-8")))

    def save(self, path: Path) -> None:
        """Write the keys to a file that only its owner can read."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), "utf-8")

    def level(self, given: str) -> str:
        """
        The level of *given*: `admin` is all, `function` every function, empty is nothing.

        Documented: docs for access keys; the master key opens functions too.
        """
        for level, key in (("admin", self.master), ("function", self.host)):
            if hmac.compare_digest(given.encode(), key.encode()):
                return level
        return ""


class KeyCheck:
    """
    Checks keys, and caches the result.

    Documented: SecretManager caches the level of a key that opened a function, and then finds it
    without regard to case (measured).
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._opened: dict[str, str] = {}

    def level(self, given: str, function: str = "") -> str:
        """The level of *given* for *function* or, without one, for the host; empty is nothing."""
        key = (given + function).upper()
        level = self._opened.get(key) if given else ""
        if level is None and (level := self._keys.level(given)):
            self._opened[key] = level
        return level or ""

    def allows(self, wanted: str, given: str, function: str) -> bool:
        """Whether *given* is enough for *function*, whose level is *wanted*."""
        return wanted == "anonymous" or self.level(given, function) in {wanted, "admin"}
