"""
What would change, as one HTML page for a change board, to be opened, mailed or printed.

It is self-contained: the pictures are embedded, it has no script, and it loads nothing. Names come
from a directory that many people may write to, so they are escaped.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from admin.console.before_after import Change, Picture
from admin.terminal.fields import Fields
from admin.terminal.output import clean

_REPLACED = "The photo from Exchange replaces this picture."
_WORDS = {
    "copy": "SharePoint gets the photo from Exchange.",
    "removal": "The picture is removed, because the photo is gone from Exchange.",
    "repair": "The picture is repaired, because an audit found:",
}
_ELSE = "The picture changes."
_STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; }
* { box-sizing: border-box; }
body { font: 15px/1.5 "Segoe UI", system-ui, sans-serif; color: var(--ink); background: #fff;
  margin: 0 auto; padding: 2.5rem 2rem; max-width: 62rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
p { margin: .25rem 0; }
.soft, td p.soft { color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; padding: 0; }
.counts li { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem;
  min-width: 9rem; list-style: none; }
.counts b { display: block; font-size: 1.5rem; line-height: 1.3; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 1rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-size: .8rem; color: var(--soft); border-bottom: 2px solid var(--line);
  padding: .4rem .75rem .4rem 0; }
td { vertical-align: top; border-bottom: 1px solid var(--line); padding: .75rem .75rem .75rem 0;
  overflow-wrap: anywhere; }
tr { break-inside: avoid; }
td.who { width: 17rem; }
td.side { width: 8.5rem; }
img, .none { display: block; width: 96px; height: 96px; border-radius: .5rem; }
.none { border: 1px dashed #8c959f; color: var(--soft); font-size: .8rem; line-height: 1.3;
  display: flex; align-items: center; justify-content: center; text-align: center; }
.bad { color: #a40e26; border-color: #a40e26; }
td p.why { font-size: .8rem; color: var(--soft); }
@media screen and (max-width: 44rem) {
  body { padding: 1.5rem 1rem; }
  thead { display: none; }
  table, tbody, tr, td { display: block; }
  tr { border-bottom: 1px solid var(--line); padding: .75rem 0; }
  td, td.who { border: 0; padding: 0 0 .5rem; width: auto; }
  td.side { display: inline-block; vertical-align: top; }
}
@page { margin: 15mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  thead { display: table-header-group; }
}
"""


def page(changes: Sequence[Change], overview: Fields, *, host: str, made_at: datetime) -> str:
    """The whole document about *changes*; *host* and *overview* are the app's."""
    pictured = [each for each in changes if each.before is not None]
    named = [each for each in changes if each.before is None]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>PhotoSync: what would change</title>",
            f"<style>{_STYLE}</style></head><body>",
            *_head(changes, overview, host, made_at),
            *_table(pictured),
            *_names(named, shown=len(pictured)),
            "</body></html>\n",
        ]
    )


def _head(
    changes: Sequence[Change], overview: Fields, host: str, made_at: datetime
) -> Iterator[str]:
    dry = overview.flag("dryRun")
    yield "<h1>What PhotoSync would change in SharePoint</h1>"
    yield f'<p class="soft">{_text(host)}, {made_at:%Y-%m-%d %H:%M} UTC. {_state(dry)}</p>'
    yield '<ul class="counts">'
    kinds = Counter(each.person.text("wouldChange") for each in changes)
    yield _tile(len(changes), "would change")
    yield _tile(kinds["copy"], "get the photo from Exchange")
    yield _tile(kinds["removal"], "lose their picture")
    yield _tile(kinds["repair"], "have their picture repaired")
    yield "</ul><dl>"
    for name, value in _facts(overview):
        yield f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"
    yield "</dl>"
    if not changes:
        yield "<p><b>No picture would change.</b></p>"


def _state(dry: bool) -> str:
    if dry:
        return "DRY_RUN is on: none of this has been written."
    return "DRY_RUN is off: the next runs make these changes."


def _tile(number: int, what: str) -> str:
    return f"<li><b>{number:,}</b>{what}</li>"


def _facts(overview: Fields) -> Iterator[tuple[str, str]]:
    counts, sweep, groups = (overview.part(name) for name in ("counts", "sweep", "groups"))
    yield "People checked", f"{sum(counts.number(name) for name in counts.raw):,}"
    yield "Last sweep", f"{sweep.text('status') or 'none yet'} {sweep.when('finishedAt')}".strip()
    for setting in groups.raw:
        yield setting, groups.text(setting)
    unknown = [f"{counts.number(name):,} {name}" for name in ("failed", "waiting")]
    if counts.number("failed") or counts.number("waiting"):
        yield "Not included", f"{' and '.join(unknown)}: their result is not known yet"


def _table(changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    yield "<h2>Before and after</h2><table><thead><tr>"
    yield "<th>Person</th><th>SharePoint shows</th><th>It would show</th><th>What happens</th>"
    yield "</tr></thead><tbody>"
    for each in changes:
        name = _text(each.person.text("displayName") or _upn(each.person))
        yield f'<tr><td class="who"><b>{name}</b>'
        yield f'<p class="soft">{_text(_upn(each.person))}</p></td>'
        for picture, side in ((each.before, "before"), (each.after, "after")):
            yield f'<td class="side">{_picture(picture, f"{name}, {side}")}</td>'
        yield f"<td><p>{_words(each)}</p>"
        yield f'<p class="soft">Checked {_text(each.person.when("checkedAt"))}</p></td></tr>'
    yield "</tbody></table>"


def _picture(picture: Picture | None, alt: str) -> str:
    if picture and picture.content:
        content = base64.b64encode(picture.content).decode()
        return f'<img alt="{alt}" width="96" height="96" src="data:image/jpeg;base64,{content}">'
    if picture and not picture.known:
        none = '<div class="none bad">Could not be fetched</div>'
    else:
        none = '<div class="none">No picture</div>'
    return f'{none}<p class="why">{_text(picture.why)}</p>' if picture and picture.why else none


def _names(changes: Sequence[Change], *, shown: int) -> Iterator[str]:
    """Those without pictures: beyond the limit, or out of time."""
    if not changes:
        return
    yield f"<h2>{len(changes):,} more, without pictures</h2>"
    yield f'<p class="soft">Pictures are shown for the first {shown:,} people, by name.</p>'
    yield "<table><thead><tr><th>Person</th><th>Account</th><th>What happens</th></tr></thead>"
    yield "<tbody>"
    for each in changes:
        cells = (_text(each.person.text("displayName")), _text(_upn(each.person)))
        row = "".join(f"<td>{cell}</td>" for cell in (*cells, _words(each)))
        yield f"<tr>{row}</tr>"
    yield "</tbody></table>"


def _words(change: Change) -> str:
    kind = change.person.text("wouldChange")
    told = _WORDS.get(kind, _ELSE)
    if kind == "copy" and change.before and change.before.content:
        told = _REPLACED
    return _text(f"{told} {change.person.text('damage')}" if kind == "repair" else told)


def _upn(person: Fields) -> str:
    return person.text("userPrincipalName") or person.text("userId")


def _text(value: str) -> str:
    return escape(clean(value))
