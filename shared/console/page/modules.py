"""
Joins ES modules into one script: the policy allows a script by its hash, but none that it loads.

Each module becomes a function that is called once, after those it imports; so its names stay
private, and lines stay intact. Only the forms that our modules use are supported; anything else is
an error.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{ ([\w$, ]+) \} from "\./([a-z]+\.js)";$', re.MULTILINE)
# No `let`: importers would get its first value, where a module would show them every new one.
_EXPORT = re.compile(r"^export (?=(?:(?:async )?function|class|const) ([\w$]+))", re.MULTILINE)
_OTHER = re.compile(r"^\s*(?:import|export)\b.*|\bimport\s*[.(].*", re.MULTILINE)


def joined(first: Path) -> str:
    """The module *first* and all that it imports. Raises ValueError for unsupported forms."""
    parts: dict[str, str] = {}
    exports: dict[str, set[str]] = {}

    def add(name: str, importers: tuple[str, ...]) -> None:
        if name in importers:
            raise ValueError(f"{' -> '.join((*importers, name))}: modules import in a circle")
        if name in parts:
            return
        text = first.with_name(name).read_text("utf-8")
        for wanted, other in _IMPORT.findall(text):
            add(other, (*importers, name))
            if unknown := set(wanted.split(", ")) - exports[other]:
                raise ValueError(f"{name}: {other} does not export {', '.join(sorted(unknown))}")
        exports[name] = set(_EXPORT.findall(text))
        parts[name] = _as_function(name, text, exports[name])

    add(first.name, ())
    return "\n".join(("const modules$ = {};", *parts.values()))


def _as_function(name: str, text: str, exports: set[str]) -> str:
    body = _IMPORT.sub(r'const { \1 } = modules$["\2"];', _EXPORT.sub("", text))
    if left := _OTHER.search(body):
        raise ValueError(f"{name}: not understood: {left[0].strip()}")
    names = ", ".join(sorted(exports))
    return f'modules$["{name}"] = (() => {{\n{body.rstrip()}\nreturn {{ {names} }};\n}})();\n'
