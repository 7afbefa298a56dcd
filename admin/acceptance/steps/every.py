"""All steps, in the order in which they are asked: what only reads, then what writes."""

from __future__ import annotations

from admin.acceptance.steps import (
    copying,
    csom,
    directory,
    doors,
    folder,
    notification,
    photo,
    picture,
    profile,
    rights,
    throttling,
    visit,
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
READING = (*CONTRACT, *directory.OF_THE_APP, *doors.STEPS)
# The photo that a person changes comes first: what is copied after it is the former one again.
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
