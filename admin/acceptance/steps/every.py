"""All steps in the order in which they run: those that only read, then those that write."""

from __future__ import annotations

from admin.acceptance.steps import (
    access,
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
)

# Steps that need only a certificate: tests/contract runs these, too.
CONTRACT = (
    *rights.STEPS,
    *photo.STEPS,
    *directory.STEPS,
    *folder.STEPS,
    *profile.STEPS,
    *picture.STEPS,
)
READING = (*CONTRACT, *directory.OF_THE_APP, *access.STEPS)
# The step in which a person changes the photo comes first: it ends with the former photo.
WRITING = (
    *notification.WRITING,
    *copying.WRITING,
    *picture.WRITING,
    *csom.WRITING,
    *profile.WRITING,
    *directory.WRITING,
    *visit.WRITING,
)
# It reports on all the others.
LAST = throttling.STEPS
EVERY = (*READING, *WRITING, *LAST)
