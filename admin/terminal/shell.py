"""Quotes commands that a person copies into a shell: sh, or PowerShell on Windows."""

from __future__ import annotations

import os
import re
import shlex  # windows: for sh alone
import sys
from collections.abc import Mapping
from dataclasses import dataclass

# What PowerShell passes on unchanged. It reads @ at the beginning as a variable, and splits a
# word that begins with - at a dot or a colon.
_PLAIN = re.compile(r"(?:--?[\w-]+|[\w/\\.][\w/\\.:@+=%-]*)", re.ASCII)

# PowerShell treats curly quotation marks like straight ones.
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


@dataclass(frozen=True)
class Shell:
    """Quotes words so that the shell passes on exactly these."""

    powershell: bool

    @classmethod
    def here(cls, platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> Shell:
        """The shell that people most likely use on this machine."""
        # The sh of Git for Windows sets SHELL.
        return cls(powershell=platform == "win32" and not environ.get("SHELL"))

    def word(self, text: str) -> str:
        """*text* as one word."""
        if not self.powershell:
            return shlex.quote(text)  # windows: for sh alone
        return text if _PLAIN.fullmatch(text) else _literal(text)

    def user(self, name: str) -> str:
        """A user's name as the last words of a command that has options."""
        # A name may begin with -, and would be read as an option.
        return f"-- {self.word(name)}" if name.startswith("-") else self.word(name)

    def command(self, program: str, *words: str) -> str:
        """A line that runs *program* with these words."""
        line = " ".join(map(self.word, (program, *words)))
        # PowerShell would only print a program name in quotation marks.
        return f"& {line}" if self.powershell and line.startswith("'") else line

    def setting(self, name: str, value: str) -> str:
        """A line that sets an environment variable until the shell ends."""
        if not self.powershell:
            return f"export {name}={self.word(value) if value else ''}"
        return f"$env:{name} = {_literal(value)}"

    def sending(self, text: str, *curl: str) -> str:
        """A line in which curl sends *text*: Windows PowerShell drops its quotation marks."""
        if not self.powershell:
            return self.command(*curl, "-d", text)
        return f"{_literal(text)} | {self.command(*curl, '-d', '@-')}"


def _literal(text: str) -> str:
    return "'" + _QUOTES.sub(r"\g<0>\g<0>", text) + "'"
