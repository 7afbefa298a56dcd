"""Switches of the simulated tenant: behaviour that differs between tenants, or is unknown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Switches:
    """Behaviour that is unknown or differs between tenants; tests and people set it."""

    answers: str = "sized"  # or "chunked", "gzip" (facts/graph.md section 4)
    missing_photo: str = "404"  # or "1x1" (facts/graph.md section 4)
    subscriptions_listed: str = "all"  # or "none", "empty" (I, facts/graph.md section 2)
    member_cast: str = "documented"  # or "reported" (I, facts/graph.md section 5)
    list_pages: str = "full"  # or another of graph.query.FORMS (I, facts/graph.md section 5)
    missing_profile: str = "odata.null"  # or "404", "500" (facts/sharepoint.md section 3)
    profiles_elsewhere: str = "shown"  # or "none": in another geography (X, section 10)
    former_hosts: str = "redirect"  # or "gone": of a renamed tenant (D for a year, section 10)
    deleted_profile: str = "kept"  # or "gone": of a deleted user (facts/sharepoint.md section 3)
    locked_properties: frozenset[str] = frozenset()
    language: str = "en-US"  # or "de-DE", "nl-NL" (I, facts/sharepoint.md section 3)
    pictures_from: str = "library"  # or "people service" (D, facts/sharepoint.md section 11)
    picture_cache_seconds: float = 0.0  # unknown in reality (facts/sharepoint.md section 8)
    csom: str = "served"  # or "refused": for apps (X, facts/sharepoint.md section 3)
    csom_counts: str = "requests"  # or "methods" (X, facts/sharepoint.md section 5)
    etags_move: bool = False  # after an upload, unprompted (I, facts/sharepoint.md section 3)
    sharepoint_errors: str = "json"  # or "xml", "text", "empty" (I, facts/sharepoint.md section 3)
    photo_only_notifies: bool = True  # unknown in reality (facts/graph.md section 1)
    notifications_lost: float = 0.0
    notifications_doubled: float = 0.0
    notifications_shuffled: bool = False
    notification_delay: float = 0.0
    notification_batch: int = 100  # the real maximum is undocumented (section 3)
    notification_gather: float = 0.02  # seconds that a first item waits for more in its POST
    notification_foreign: bool = False  # add items of other tenants and subscriptions
    notification_drops: bool = False  # slow endpoints: delayed or dropped for ten minutes
    notification_resource: str = "Users/{id}"  # other docs: "users/{id}", "users('{id}')"
    sequence_as_text: bool = False  # sequenceNumber comes as number or string
    backoff_seconds: float = 10.0  # before the first retry, then doubled; the real value is unknown
    give_up_seconds: float = 14400.0  # four hours (D, section 3)
    first_budget_seconds: float = 3.0  # (D, section 3)
    retry_budget_seconds: float = 10.0  # (D, section 3)
    handshake_budget_seconds: float = 10.0  # (D, section 2)
    missing_photo_code: str = "ErrorEntityNotFound"  # or "ImageNotFound", before 2024 (I)
    mailbox_status: int = 404  # or 400: both were reported (I, section 4)
    reencode: bool = True  # False: an upload is kept byte for byte
    reencode_fresh: bool = False  # True: equal uploads become different bytes
    # The limits in limits.py; 0 is no limit. Documented values: 4, 10000, and 3000 to 15000.
    photo_requests_at_once: int = 0
    photo_requests_per_10_minutes: int = 0
    people_calls_per_5_minutes: int = 0
    licences: int = 300  # with SharePoint, bought by the organization
    directory_lag: int = 0  # requests that do not see a new app or principal yet (I, section 8)
    users_register_apps: bool = True  # the default of a tenant (D, section 8)
    site_lists_show_roles: bool = False  # documented; reported to differ (section 8)
    device_code_interval: int = 5  # seconds between two polls for a token (D, section 9)
    batch_shuffled: bool = True
    batch_base64: str = "mixed"  # or one of ALPHABETS in graph.batch
