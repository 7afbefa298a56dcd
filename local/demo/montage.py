"""The demo's picture: every user's Exchange photo above the picture in SharePoint."""

from __future__ import annotations

import functools
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms, ImageDraw, ImageFont, ImageOps

_COLUMNS = 6
_GAP, _MARGIN, _TITLE = 24, 44, 126
_CARD = 252
_PHOTO = 200
_SMALL = 13.5

_PAPER, _WHITE, _INK, _QUIET = "#eef1f5", "#ffffff", "#1d2733", "#6b7787"
_GREEN, _RED, _GREY, _LINE = "#1f9d55", "#d43c3c", "#c9d0d9", "#dde2e9"


@dataclass(frozen=True)
class Pair:
    """One user: both pictures, the outcome, and how long it took."""

    name: str
    outcome: str
    detail: str
    exchange: bytes | None
    sharepoint: bytes | None
    milliseconds: int | None
    matches: bool


def montage(rows: Sequence[Pair], path: Path) -> None:
    """Write a PNG with a card for every pair, six to a row."""
    lines = max(1, -(-len(rows) // _COLUMNS))
    tall = max([_height(pair) for pair in rows], default=0)
    columns = min(_COLUMNS, max(4, len(rows)))
    width = 2 * _MARGIN + columns * (_CARD + _GAP) - _GAP
    height = _TITLE + lines * (tall + _GAP) - _GAP + _MARGIN
    sheet = Image.new("RGB", (width, height), _PAPER)
    _title(sheet, rows)
    for number, pair in enumerate(rows):
        left = _MARGIN + number % _COLUMNS * (_CARD + _GAP)
        top = _TITLE + number // _COLUMNS * (tall + _GAP)
        sheet.paste(_card(pair, tall), (left, top))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, "PNG")


@functools.cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _title(sheet: Image.Image, rows: Sequence[Pair]) -> None:
    draw = ImageDraw.Draw(sheet)
    agreeing = sum(pair.matches for pair in rows)
    draw.text((_MARGIN, 28), "PhotoSync", _INK, _font(38))
    after = _MARGIN + draw.textlength("PhotoSync", _font(38)) + 18
    draw.text(
        (after, 42), "the photo in Exchange, and the picture SharePoint shows", _QUIET, _font(22)
    )
    verdict = f"{agreeing} of {len(rows)} correct"
    at = sheet.width - _MARGIN - draw.textlength(verdict, _font(24))
    draw.text((at, 40), verdict, _GREEN if agreeing == len(rows) else _RED, _font(24))
    _legend(sheet, draw)


def _legend(sheet: Image.Image, draw: ImageDraw.ImageDraw) -> None:
    left, middle = _MARGIN, 98
    for sign, text in (
        ("tick", "SharePoint is correct"),
        ("frame", "SharePoint differs from Exchange"),
        ("grey", "there is no picture"),
    ):
        if sign == "tick":
            _badge(sheet, (left + 9, middle), 9, agreed=True)
        else:
            box = (left, middle - 9, left + 18, middle + 9)
            frame = sign == "frame"
            draw.rounded_rectangle(
                box, 4, fill=None if frame else _GREY, outline=_RED if frame else _GREY, width=3
            )
        draw.text((left + 27, middle), text, _QUIET, _font(16), anchor="lm")
        left += 27 + round(draw.textlength(text, _font(16))) + 32


def _height(pair: Pair) -> int:
    """The height that a card needs for its text."""
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    return 572 + 17 * len(_wrapped(draw, pair.detail, _SMALL, _CARD - 52, lines=3))


def _card(pair: Pair, height: int) -> Image.Image:
    card = Image.new("RGB", (_CARD, height), _PAPER)
    body = Image.new("RGB", card.size, _WHITE)
    card.paste(body, mask=_rounded(card.size, 16))
    draw = ImageDraw.Draw(card)
    left, centre = (_CARD - _PHOTO) // 2, _CARD // 2
    draw.text((centre, 28), _cut(draw, pair.name, 20, _CARD - 24), _INK, _font(20), anchor="mm")
    for top, content, place in (
        (70, pair.exchange, "EXCHANGE"),
        (70 + _PHOTO + 40, pair.sharepoint, "SHAREPOINT"),
    ):
        draw.text((left + 2, top - 13), place, _QUIET, _font(12), anchor="lm")
        card.paste(_photo(content), (left, top), _rounded((_PHOTO, _PHOTO), 14))
    _arrow(draw, centre, 70 + _PHOTO + 8)
    low = 70 + 2 * _PHOTO + 40
    if not pair.matches:
        frame = (left - 5, low - _PHOTO - 5, left + _PHOTO + 4, low + 4)
        draw.rounded_rectangle(frame, 18, outline=_RED, width=5)
    _badge(card, (left + _PHOTO - 10, low - 10), 17, agreed=pair.matches)
    _words(draw, pair, low + 18)
    return card


def _words(draw: ImageDraw.ImageDraw, pair: Pair, top: int) -> None:
    colour = _GREEN if pair.matches else _RED
    taken = "" if pair.milliseconds is None else f"{pair.milliseconds:,} ms"
    room = _CARD - 52 - draw.textlength(taken, _font(16)) - 10
    draw.text((26, top), _cut(draw, pair.outcome, 18, room), colour, _font(18))
    draw.text((_CARD - 26, top + 3), taken, _QUIET, _font(16), anchor="ra")
    for number, line in enumerate(_wrapped(draw, pair.detail, _SMALL, _CARD - 52, lines=3)):
        draw.text((26, top + 27 + 17 * number), line, _QUIET, _font(_SMALL))


def _photo(content: bytes | None) -> Image.Image:
    if content is not None:
        try:
            return _seen(content)
        except (OSError, SyntaxError, ValueError, ImageCms.PyCMSError):
            return _placeholder("unreadable")
    return _placeholder("no picture")


def _seen(content: bytes) -> Image.Image:
    """Decode like a careful viewer; deliberately not with the code that makes our renditions."""
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "BMP")) as opened:
        profile = opened.info.get("icc_profile")
        picture = ImageOps.exif_transpose(opened)
    if profile and picture.mode == "RGB":
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        picture = ImageCms.profileToProfile(picture, source, target) or picture
    colour = picture.convert("RGBA")
    white = Image.new("RGBA", colour.size, _WHITE)
    flat = Image.alpha_composite(white, colour).convert("RGB")
    return ImageOps.fit(flat, (_PHOTO, _PHOTO), Image.Resampling.LANCZOS)


def _placeholder(words: str) -> Image.Image:
    picture = Image.new("RGB", (_PHOTO * 2, _PHOTO * 2), "#e3e7ed")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((148, 84, 252, 188), fill=_GREY)
    draw.ellipse((92, 206, 308, 480), fill=_GREY)
    picture = picture.resize((_PHOTO, _PHOTO), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    draw.text((_PHOTO // 2, _PHOTO - 26), words, _INK, _font(16), anchor="mm")
    return picture


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", (size[0] * 4, size[1] * 4), 0)
    box = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * 4, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)


def _badge(picture: Image.Image, centre: tuple[int, int], radius: int, *, agreed: bool) -> None:
    """A green tick or a red cross in a disc with a white rim."""
    side = radius * 8
    disc = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    draw = ImageDraw.Draw(disc)
    draw.ellipse((0, 0, side - 1, side - 1), fill=_WHITE)
    rim = side * 0.09
    draw.ellipse((rim, rim, side - rim, side - rim), fill=_GREEN if agreed else _RED)
    strokes = (
        [[(0.29, 0.52), (0.44, 0.67), (0.72, 0.35)]]
        if agreed
        else [[(0.34, 0.34), (0.66, 0.66)], [(0.66, 0.34), (0.34, 0.66)]]
    )
    for stroke in strokes:
        points = [(x * side, y * side) for x, y in stroke]
        draw.line(points, fill=_WHITE, width=round(side * 0.09), joint="curve")
    small = disc.resize((radius * 2, radius * 2), Image.Resampling.LANCZOS)
    picture.paste(small, (centre[0] - radius, centre[1] - radius), small)


def _arrow(draw: ImageDraw.ImageDraw, x: int, top: int) -> None:
    draw.line((x, top, x, top + 16), fill=_GREY, width=4)
    draw.polygon([(x - 8, top + 13), (x + 8, top + 13), (x, top + 24)], fill=_GREY)


def _drawable(text: str) -> str:
    """*text* in ASCII, which is all that the built-in font has; accents are dropped."""
    plain = text.translate(str.maketrans("øØłŁđĐıæœß", "oOlLdDiaos"))
    bare = unicodedata.normalize("NFKD", plain)
    return "".join(
        letter if letter.isascii() else "?" for letter in bare if not unicodedata.combining(letter)
    )


def _cut(draw: ImageDraw.ImageDraw, text: str, size: float, room: float) -> str:
    """*text*, shortened with dots if it is wider than *room*."""
    text = _drawable(text)[:200]
    if draw.textlength(text, _font(size)) <= room:
        return text
    while text and draw.textlength(text + "…", _font(size)) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _wrapped(
    draw: ImageDraw.ImageDraw, text: str, size: float, room: float, *, lines: int
) -> list[str]:
    """*text* wrapped into at most *lines* lines; the rest is cut off with an ellipsis."""
    broken: list[str] = []
    for word in _drawable(text)[:300].split():
        longer = f"{broken[-1]} {word}" if broken else word
        if broken and draw.textlength(longer, _font(size)) <= room:
            broken[-1] = longer
        elif len(broken) < lines:
            broken.append(word)
        else:
            broken[-1] = longer  # too wide now: cut off below
    return [_cut(draw, line, size, room) for line in broken]
