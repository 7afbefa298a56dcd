"""Hair, beards and headscarves of the drawn portraits."""

from __future__ import annotations

from PIL import Image

from local.demo.portraits.easel import Easel, Pen, darker, mixed
from local.demo.portraits.looks import Look

_CURLS = [
    (330, 330, 78), (310, 430, 70), (320, 525, 58), (375, 250, 84), (460, 212, 88), (545, 210, 88),
    (630, 252, 84), (672, 335, 78), (690, 432, 70), (680, 525, 58),
]  # fmt: skip


def behind(easel: Easel, look: Look) -> None:
    """Draw the hair behind head and shoulders, with its shadow on the wall."""

    def hair(pen: Pen) -> None:
        _behind(pen, look.style, look.width)

    easel.paint(darker(look.ground[1], 0.5), hair, blur=20, strength=0.3)
    easel.paint(look.scarf if look.style == "scarf" else darker(look.hair, 0.18), hair)


def _behind(pen: Pen, style: str, wide: float) -> None:
    falling = {"long": (58, 240, 860, 190), "wavy": (58, 240, 860, 190), "bob": (56, 215, 668, 170)}
    falling["scarf"] = (46, 190, 840, 190)
    if style in falling:
        over, top, bottom, radius = falling[style]
        pen.block((500 - wide - over, top, 500 + wide + over, bottom), radius)
    if style == "wavy":
        for step in range(7):
            reach = wide + (66 if step % 2 else 48)
            pen.oval(500 - reach, 430 + 70 * step, 52, 56)
            pen.oval(500 + reach, 430 + 70 * step, 52, 56)
    elif style == "bun":
        pen.oval(500, 176, 84, 78)
    elif style == "afro":
        pen.oval(500, 375, wide + 128, 268)
    elif style == "curly":
        for x, y, radius in _CURLS:
            pen.oval(x, y, radius, radius)


# The hair before the head is a cap with an opening for the face: centre, radius as a share of the
# face's width, height; and how far it hangs down. Where the opening lies makes the parting.
_CAPS = {
    "short": (500, 505, 0.99, 198, 455), "side": (556, 512, 1.12, 214, 455),
    "long": (500, 520, 0.86, 228, 700), "wavy": (455, 525, 1.13, 226, 455),
    "bob": (500, 540, 0.92, 196, 640), "bun": (500, 510, 0.97, 208, 455),
    "afro": (500, 520, 0.96, 222, 455), "curly": (500, 528, 0.95, 214, 455),
    "scarf": (500, 500, 0.9, 196, 790),
}  # fmt: skip


def before(easel: Easel, look: Look) -> None:
    """Draw the hair over the forehead and beside the face."""
    if look.style not in _CAPS:
        return
    x, y, share, ry, down = _CAPS[look.style]
    wide, rx = look.width, look.width * share

    def cap(pen: Pen) -> None:
        pen.oval(500, 420, wide + 26, 222)
        if down > 455:
            pen.block((500 - wide - 26, 420, 500 + wide + 26, down), 70)
        pen.block((-200, down, 1200, 1200), fill=0)
        pen.oval(x, y, rx, ry, fill=0)
        if look.style == "scarf":
            pen.oval(500, 748, wide * 0.95, 98)
        elif down > 455:
            pen.block((x - rx, y, x + rx, 900), fill=0)

    colour = look.scarf if look.style == "scarf" else look.hair
    mask = easel.paint(colour, cap)
    shine = mixed(colour, (255, 240, 220), 0.4)
    easel.paint(shine, lambda p: p.bow((360, 232, 660, 520), 205, 285, 34), blur=14, within=mask)
    if look.style == "scarf":
        fold = darker(colour)
        easel.paint(fold, lambda p: p.bow((340, 600, 660, 800), 25, 155, 9), blur=4, strength=0.8)


def beard(easel: Easel, look: Look, face: Image.Image) -> None:
    """A trimmed beard and a moustache, on the *face* only."""

    def growth(pen: Pen) -> None:
        pen.block((300, 480, 700, 800))
        pen.oval(500, 470, look.width * 0.83, 130, fill=0)
        pen.oval(500, 594, 62, 34, fill=0)

    def moustache(pen: Pen) -> None:
        pen.bow((425, 548, 575, 640), 205, 335, 22)

    hair = darker(look.hair, 0.1)
    easel.paint(hair, growth, blur=3, within=face, strength=0.93)
    easel.paint(hair, moustache, blur=2, strength=0.93)
