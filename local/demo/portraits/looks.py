"""The looks of an invented person: colours, hair and clothes, chosen from a number."""

from __future__ import annotations

import random
from dataclasses import dataclass

from local.demo.portraits.easel import Colour, mixed, rgb

_SKINS = ["#f6d3b8", "#8d5a3b", "#e8b48f", "#c98d63", "#fbdcc8", "#6f432b", "#d9a277", "#a86f49"]
_HAIRS = ["#3a2a20", "#1d1a1c", "#8a5a2b", "#d9b061", "#5d3a22", "#a8452a", "#9b9a98", "#2a2024"]
_SHIRTS = ["#2f4a6d", "#b8433f", "#e9e4da", "#3d7a63", "#54456e", "#d98e3a", "#2b2e36", "#6d9bc3"]
_GROUNDS = [
    ("#f5c9a8", "#e58f6f"), ("#bcdff0", "#6aa6cf"), ("#d7e8c4", "#86b27e"), ("#e3d4f0", "#a387c7"),
    ("#fbe6a9", "#e8b84f"), ("#c9ece4", "#5fb0a5"), ("#f7cfd6", "#d98199"), ("#d9dde4", "#8f9bb0"),
]  # fmt: skip
_STYLES = ["short", "long", "curly", "bob", "side", "bun", "afro", "bald", "scarf", "wavy"]
_IRISES = ["#4a6b82", "#5b3d24", "#4f6b45", "#3a2a1c"]


@dataclass(frozen=True)
class Look:
    """The looks of one invented person."""

    skin: Colour
    hair: Colour
    shirt: Colour
    iris: Colour
    ground: tuple[Colour, Colour]
    style: str
    glasses: bool
    beard: bool
    collar: str
    smile: float
    width: float

    @classmethod
    def of(cls, seed: int) -> Look:
        """The looks of this number; consecutive numbers differ in most things."""
        rng = random.Random(seed)
        # Coprime strides, so that a dozen people in a row differ in every respect.
        style = _STYLES[seed * 3 % len(_STYLES)]
        light, dark = _GROUNDS[seed * 5 % len(_GROUNDS)]
        return cls(
            skin=rgb(_SKINS[seed * 3 % len(_SKINS)]),
            hair=rgb(_HAIRS[(seed * 5 + seed // 8) % len(_HAIRS)]),
            shirt=rgb(_SHIRTS[(seed * 7 + seed // 8) % len(_SHIRTS)]),
            iris=rgb(rng.choice(_IRISES)),
            ground=(rgb(light), rgb(dark)),
            style=style,
            glasses=rng.random() < 0.35,
            beard=style in ("short", "bald", "side") and rng.random() < 0.5,
            collar=rng.choice(["round", "vee", "shirt", "jacket"]),
            smile=rng.uniform(0.5, 1.0),
            width=rng.uniform(150, 172),
        )

    @property
    def scarf(self) -> Colour:
        return mixed(self.ground[1], self.shirt, 0.35)
