"""The plan of a soak, computed from its seed."""

from __future__ import annotations

from collections import Counter

import pytest

from local.outside.likeness import alike
from local.soak.pictures import pictures
from local.soak.plan import (
    CHANGES,
    KILL,
    KILL_WORKER,
    MOST_WITHOUT_PHOTO,
    REMOVE,
    SAME,
    START,
    Scale,
    first_photos,
    timeline,
)

SEEDS = range(20)


def test_seed_repeats_the_plan():
    """The same seed gives the same plan, and another seed another plan."""
    assert timeline(Scale(), 1) == timeline(Scale(), 1)
    assert timeline(Scale(), 1) != timeline(Scale(), 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_plan_has_the_scale_s_events(seed: int):
    """All changes, kills and forgeries, by time; after each kill the host is started again."""
    scale = Scale()
    events = timeline(scale, seed)
    kinds = Counter(event.kind for event in events)

    assert sum(kinds[kind] for kind in CHANGES) >= scale.changes
    assert kinds[REMOVE] > 10
    assert kinds[SAME] > 100
    deaths = [event.kind for event in events if event.kind in {KILL, START}]
    assert deaths == [KILL, START] * scale.kills
    assert kinds[KILL_WORKER] == scale.worker_kills > 0
    assert kinds["forge"] == scale.forged
    assert kinds["damage"] == scale.damages
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.parametrize("seed", SEEDS)
def test_few_end_without_a_photo(seed: int):
    """Some users do, so that pictures are removed, but too few for the brake."""
    photos: dict[int, int] = dict(first_photos(Scale(), seed))
    lost = set()
    for event in timeline(Scale(), seed):
        if event.kind == REMOVE:
            del photos[event.user]
            lost.add(event.user)
        elif event.kind in CHANGES:
            if event.kind == SAME:
                assert photos[event.user] == event.picture
            photos[event.user] = event.picture
            lost.discard(event.user)

    assert 1 <= len(lost) <= MOST_WITHOUT_PHOTO


def test_no_two_pictures_look_alike():
    """A picture of the wrong photo is never taken for the right one."""
    made = pictures(12)

    assert not any(
        alike(one, other) for n, one in enumerate(made) for other in made[:n] if one is not other
    )
