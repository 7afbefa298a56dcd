"""
A tenant on the day after its first sweep: every photo is in SharePoint, with its state stored.
"""

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.bench.measuring.conditions import LIMITS, PICTURE_SIZES
from local.bench.measuring.ledger import Ledger
from local.cloud.stack import Stack
from local.cloud.undisturbed import PATIENT_GRAPH
from local.outside import spectator
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Watcher
from shared.pictures.recipe import RECIPE
from shared.pictures.renditions import renditions
from shared.sharepoint.picture_location import PictureLocation
from shared.storage.azure import CONTAINER, BlobStore
from shared.storage.user_state import SYNCED, UserState
from shared.written_file import WrittenFile

_FOLDER = "Profile Pictures"
_SEEDS_A_CALL = 100


@dataclass(frozen=True)
class SettledUser:
    """A user, and which of the photos they have at the start."""

    id: str
    upn: str
    photo: int


class SettledTenant:
    """Users of a running stack with `log_storage`, who get the *photos* in turn."""

    def __init__(self, stack: Stack, photos: Sequence[bytes]) -> None:
        self.stack = stack
        self.at = stack.endpoints
        self.admin = TenantClient(self.at, self.at.client_id, Path(self.at.client_certificate))
        self.watcher = Watcher(self.at.storage, self.admin, stack.host_log)
        self.ledger = Ledger(stack, self.admin)
        self.photos = photos
        self.users: list[SettledUser] = []
        container = spectator.blobs(self.at.storage).get_container_client(CONTAINER)
        self._store = BlobStore(container)
        self._pictures = [renditions(photo, sizes=PICTURE_SIZES) for photo in photos]
        self.admin.control("POST", "/switches", LIMITS | PATIENT_GRAPH)

    def ask(self, upkeep: str) -> None:
        """Run *upkeep* and everything that follows from it."""
        self.watcher.type_into_queue(upkeep, "photo-upkeep")
        self.quiet()

    def quiet(self, seconds: float = 120, pause: float = 0.1) -> None:
        """Wait until no message is left, checking every *pause* seconds."""
        self.watcher.until(list, seconds=seconds, pause=pause)

    def add_users(self, count: int) -> None:
        """Add *count* users with pictures and states as PhotoSync leaves them."""
        rng = random.Random(1)
        ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(count)]
        new = [
            SettledUser(each, f"user{number:05}@contoso.com", number % len(self.photos))
            for number, each in enumerate(ids)
        ]
        for start in range(0, count, _SEEDS_A_CALL):
            seeds = [self._seed(user) for user in new[start : start + _SEEDS_A_CALL]]
            self.admin.control("POST", "/users", seeds)
        self.users += new
        everybody = self.admin.control("GET", "/users")["users"]
        seeded = {user["id"]: user for user in everybody}
        with ThreadPoolExecutor(8, thread_name_prefix="seed") as pool:
            list(pool.map(lambda user: self._store_state(user, seeded[user.id]), new))

    def change(self, user: SettledUser, *, notify: bool) -> None:
        """Give *user* the next photo, with or without a notification."""
        self.put(user.id, self.photos[(user.photo + 1) % len(self.photos)], notify=notify)

    def put(self, user_id: str, photo: bytes | None, *, notify: bool) -> None:
        """Set a user's photo in Exchange, None to remove it."""
        content = None if photo is None else base64.b64encode(photo).decode()
        self.admin.control("PATCH", f"/users/{user_id}", {"photo": content, "notify": notify})

    def _seed(self, user: SettledUser) -> dict[str, Any]:
        location, pictures = PictureLocation(_FOLDER, user.id), self._pictures[user.photo]
        return {
            "id": user.id,
            "userPrincipalName": user.upn,
            "photo": base64.b64encode(self.photos[user.photo]).decode(),
            "profile": {
                "PictureURL": location.url(self.at.sharepoint_my),
                "SPS-PicturePlaceholderState": "0",
                "SPS-PictureExchangeSyncState": "1",
                "SPS-PictureTimestamp": "63900000000",
            },
            "files": {
                name: base64.b64encode(content).decode()
                for name, content in zip(location.files, pictures, strict=True)
            },
        }

    def _store_state(self, user: SettledUser, seeded: Mapping[str, Any]) -> None:
        now, location = datetime.now(UTC), PictureLocation(_FOLDER, user.id)
        etags = {file["name"]: file["etag"] for file in seeded["files"]}
        named = zip(location.files, self._pictures[user.photo], strict=True)
        known = UserState(
            user.id,
            user_principal_name=user.upn,
            status=SYNCED,
            sha256=hashlib.sha256(self.photos[user.photo]).hexdigest(),
            source_etag=seeded["photo"]["mediaEtag"],
            picture_url=location.url(self.at.sharepoint_my),
            sizes=",".join(map(str, PICTURE_SIZES)),
            recipe=RECIPE,
            files=tuple(WrittenFile.of(content, etags[name]) for name, content in named),
            synced_at=now,
            checked_at=now,
        )
        self._store.create(known)
