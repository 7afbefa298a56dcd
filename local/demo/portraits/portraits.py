"""
Portraits of invented people, drawn from a number.

The same seed always draws the same person. Consecutive numbers differ clearly, so that pictures
can be told apart at 48 pixels. `local.demo.photo_files` stores them as files.
"""

from __future__ import annotations

from PIL import Image

from local.demo.portraits import hair
from local.demo.portraits.easel import Easel, Pen, darker, mixed
from local.demo.portraits.looks import Look


def portrait(seed: int, size: int = 648) -> Image.Image:
    """A square sRGB portrait of person *seed*."""
    look = Look.of(seed)
    easel = Easel(look.ground)
    easel.paint(mixed(look.ground[0], (255, 255, 255), 0.5), _halo, blur=60, strength=0.6)
    hair.behind(easel, look)
    _body(easel, look)
    face = _head(easel, look)
    _features(easel, look)
    if look.beard:
        hair.beard(easel, look, face)
    hair.before(easel, look)
    if look.glasses:
        _glasses(easel, look)
    return easel.picture.resize((size, size), Image.Resampling.LANCZOS)


def _halo(pen: Pen) -> None:
    pen.oval(430, 380, 330, 330)


def _body(easel: Easel, look: Look) -> None:
    def shoulders(pen: Pen) -> None:
        pen.block((170, 770, 830, 1300), 190)
        pen.shape((420, 690), (580, 690), (720, 800), (280, 800))

    def neck(pen: Pen) -> None:
        pen.block((425, 560, 575, 810), 60)
        pen.oval(500, 785, 92, 55)

    easel.paint(darker(look.ground[1], 0.5), shoulders, blur=25, strength=0.35)
    body = easel.paint(look.shirt, shoulders)
    easel.paint(
        darker(look.shirt, 0.5), lambda p: p.oval(800, 1010, 190, 260), blur=55, within=body
    )
    skin = easel.paint(look.skin, neck)
    easel.paint(darker(look.skin, 0.4), lambda p: p.oval(508, 640, 120, 70), blur=16, within=skin)
    _collar(easel, look, body)


def _collar(easel: Easel, look: Look, body: Image.Image) -> None:
    if look.collar == "round":
        edge = mixed(look.shirt, (255, 255, 255), 0.25)
        easel.paint(edge, lambda p: p.bow((392, 690, 608, 856), 8, 172, 17))
    elif look.collar == "vee":
        easel.paint(look.skin, lambda p: p.shape((412, 770), (588, 770), (500, 930)))
        edge = darker(look.shirt, 0.25)
        easel.paint(edge, lambda p: p.shape((396, 760), (414, 752), (500, 924), (500, 960)))
        easel.paint(edge, lambda p: p.shape((604, 760), (586, 752), (500, 924), (500, 960)))
    else:
        white = (250, 249, 246)
        if look.collar == "jacket":
            front = ((405, 770), (595, 770), (545, 1010), (455, 1010))
            easel.paint(white, lambda p: p.shape(*front), within=body)
            dark = darker(look.shirt, 0.35)
            easel.paint(dark, lambda p: p.shape((398, 752), (330, 800), (380, 900), (478, 1010)))
            easel.paint(dark, lambda p: p.shape((602, 752), (670, 800), (620, 900), (522, 1010)))
        edge = white if look.collar == "jacket" else mixed(look.shirt, (255, 255, 255), 0.3)
        easel.paint(edge, lambda p: p.shape((412, 738), (500, 842), (440, 902), (378, 772)))
        easel.paint(edge, lambda p: p.shape((588, 738), (500, 842), (560, 902), (622, 772)))


def _head(easel: Easel, look: Look) -> Image.Image:
    """Draw ears and face; returns the mask of the face."""
    wide = look.width

    def ears(pen: Pen) -> None:
        pen.oval(500 - wide, 465, 30, 46)
        pen.oval(500 + wide, 465, 30, 46)

    def face(pen: Pen) -> None:
        pen.oval(500, 415, wide, 190)
        pen.block((500 - wide, 400, 500 + wide, 560), 120)
        pen.oval(500, 525, wide * 0.87, 145)

    if look.style not in ("scarf", "long", "bob"):
        skin = easel.paint(darker(look.skin, 0.08), ears)
        easel.paint(darker(look.skin, 0.35), lambda p: p.oval(500, 470, wide + 16, 24), within=skin)
    mask = easel.paint(look.skin, face)
    # Light from the left: a soft shadow on the right cheek, a slight shine on the forehead.
    shade, shine = darker(look.skin, 0.28), mixed(look.skin, (255, 250, 240), 0.35)
    easel.paint(shade, lambda p: p.oval(700, 520, 120, 260), blur=45, within=mask)
    easel.paint(shine, lambda p: p.oval(440, 360, 90, 90), blur=50, within=mask, strength=0.7)
    blush = mixed(look.skin, (214, 70, 80), 0.3)
    easel.paint(blush, _cheeks, blur=18, within=mask)
    return mask


def _cheeks(pen: Pen) -> None:
    pen.oval(395, 535, 46, 34)
    pen.oval(605, 535, 46, 34)


def _eye(easel: Easel, look: Look, x: float, tilt: float) -> None:
    brow = darker(look.hair, 0.3) if look.style != "scarf" else (62, 42, 32)
    ink = (38, 26, 28)
    white = easel.paint((252, 250, 247), lambda p: p.oval(x, 462, 33, 23))
    easel.paint(look.iris, lambda p: p.oval(x + 1, 461, 22, 23), within=white)
    easel.paint(ink, lambda p: p.oval(x + 1, 461, 11, 12), within=white)
    easel.paint((255, 255, 255), lambda p: p.oval(x - 4, 454, 6, 6))
    easel.paint(ink, lambda p: p.bow((x - 38, 434, x + 38, 500), 196, 344, 8))
    easel.paint(brow, lambda p: p.bow((x - 52 - tilt, 396, x + 52 - tilt, 470), 212, 328, 14))


def _features(easel: Easel, look: Look) -> None:
    _eye(easel, look, 430, -4)
    _eye(easel, look, 570, 4)
    line = darker(look.skin, 0.42)
    easel.paint(line, lambda p: p.bow((468, 500, 532, 556), 25, 155, 8), blur=1.2)
    wide = 40 + 26 * look.smile
    lips = mixed(darker(look.skin, 0.15), (196, 62, 70), 0.55)
    if look.smile > 0.72:
        mouth = (500 - wide, 540, 500 + wide, 540 + 84)
        half = easel.mask(lambda p: p.block((0, 582, 1000, 1000)))
        inside = easel.paint(darker(lips, 0.55), lambda p: p.oval(500, 582, wide, 42), within=half)
        easel.paint((252, 250, 248), lambda p: p.block((400, 570, 600, 601), 8), within=inside)
        easel.paint(lips, lambda p: p.bow(mouth, 0, 180, 9))
    else:
        easel.paint(lips, lambda p: p.bow((500 - wide, 520, 500 + wide, 610), 25, 155, 12))


def _glasses(easel: Easel, look: Look) -> None:
    frame = (44, 38, 44) if sum(look.skin) > 330 else (206, 168, 96)

    def rims(pen: Pen) -> None:
        pen.ring(428, 466, 62, 50, 10)
        pen.ring(572, 466, 62, 50, 10)
        pen.bow((478, 446, 522, 486), 200, 340, 10)
        pen.block((500 - look.width - 6, 446, 372, 456), 4)
        pen.block((628, 446, 500 + look.width + 6, 456), 4)

    _lens(easel, 428)
    _lens(easel, 572)
    easel.paint(frame, rims)


def _lens(easel: Easel, x: float) -> None:
    lens = easel.mask(lambda p: p.block((x - 58, 420, x + 58, 512), 44))
    glint = ((x - 40, 500), (x - 14, 500), (x + 26, 428), (x, 428))
    easel.paint((255, 255, 255), lambda p: p.shape(*glint), within=lens, strength=0.22)
