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

    def open(self, level: str, given: str | None) -> bool:
        """
        Say whether *given* is enough for a function of this authorization level.

        Documented: docs for access keys; the master key is good for functions too.
        """
        if level == "anonymous":
            return True
        if not given:
            return False
        accepted = [self.master] if level == "admin" else [self.host, self.master]
        return any(hmac.compare_digest(given.encode(), key.encode()) for key in accepted)
