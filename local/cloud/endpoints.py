"""The addresses in the local cloud: the contract with programs outside it."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True)
class Endpoints:
    """
    The content of endpoints.json, whose keys are in camelCase.

    URLs have no trailing slash. `client_id` is for an admin's own scripts and has all rights;
    `app_client_id` is PhotoSync's registration with exactly the rights it needs.
    """

    functions: str
    key: str = field(repr=False)
    master_key: str = field(repr=False)
    graph: str
    login: str
    sharepoint_my: str
    sharepoint_admin: str
    sharepoint_root: str
    control: str
    ca: str
    storage: str = field(repr=False)
    tenant_id: str
    client_id: str
    client_certificate: str
    client_state: str = field(repr=False)
    app_client_id: str
    app_certificate: str
    # Proxy to Microsoft 365's hosts, if these have their real names in `cloud`; else empty.
    proxy: str = ""
    cloud: str = "global"
    # The console's client id, if sign-in is on; else empty.
    console_client_id: str = ""

    def save(self, path: Path) -> None:
        """Write the file in one step, so that no reader sees a partial file."""
        content = {_camel(each.name): getattr(self, each.name) for each in fields(self)}
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Endpoints":
        """Read what `save` wrote."""
        content = json.loads(path.read_text("utf-8"))
        return cls(**{each.name: content[_camel(each.name)] for each in fields(cls)})


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
