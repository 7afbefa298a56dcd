"""The access keys of the function app: who may call what."""

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """The host key opens every function, the master key the admin routes too."""

    host: str
    master: str

    @classmethod
    def generate(cls) -> "Keys":
        return cls(host=secrets.token_urlsafe(40), master=secrets.token_urlsafe(40))

    @classmethod
    def load(cls, path: Path) -> "Keys":
        return cls(**json.loads(path.read_text("utf-8")))

    def save(self, path: Path) -> None:
        """Write the keys where only their owner reads them."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), "utf-8")

    def level(self, given: str) -> str:
        """
        What *given* opens: `admin` is all, `function` every function, and empty is nothing.

        Documented: docs for access keys; the master key is good for functions too.
        """
        for level, key in (("admin", self.master), ("function", self.host)):
            if hmac.compare_digest(given.encode(), key.encode()):
                return level
        return ""


class Gate:
    """
    Asks the keys, and remembers what it was told.

    Documented: SecretManager keeps the level of a key and a function it has opened, and finds it
    again without regard to case (measured).
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._opened: dict[str, str] = {}

    def level(self, given: str, function: str = "") -> str:
        """What *given* opens, of *function* or of the host itself; empty is nothing."""
        place = (given + function).upper()
        level = self._opened.get(place) if given else ""
        if level is None and (level := self._keys.level(given)):
            self._opened[place] = level
        return level or ""

    def open(self, wanted: str, given: str, function: str) -> bool:
        """Say whether *given* is enough for *function*, whose level is *wanted*."""
        return wanted == "anonymous" or self.level(given, function) in {wanted, "admin"}
