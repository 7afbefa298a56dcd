"""All steps, in the order in which they are asked: what only reads, then what writes."""

from __future__ import annotations

from admin.acceptance.steps import (
    copying,
    csom,
    directory,
    folder,
    notification,
    photo,
    picture,
    profile,
    rights,
    throttling,
    visit,
    webhook,
)

# What takes a certificate and nothing else: the suite tests/contract asks these, too.
CONTRACT = (
    *rights.STEPS,
    *photo.STEPS,
    *directory.STEPS,
    *folder.STEPS,
    *profile.STEPS,
    *picture.STEPS,
)
READING = (*CONTRACT, *directory.OF_THE_APP, *webhook.STEPS)
# What a person has a part in comes first of these: it is not to be waited for.
WRITING = (
    *notification.WRITING,
    *copying.WRITING,
    *picture.WRITING,
    *csom.WRITING,
    *profile.WRITING,
    *directory.WRITING,
    *visit.WRITING,
)
# It tells of all the others.
LAST = throttling.STEPS
EVERY = (*READING, *WRITING, *LAST)
