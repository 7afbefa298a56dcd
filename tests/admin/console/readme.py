"""`python -m tests.admin.console.readme` writes the help texts into README.md, between marks."""

from __future__ import annotations

from admin.program import help_texts
from tests import REPO

README = REPO / "README.md"
BEGIN, END = "<!-- manage.py: begin -->\n", "<!-- manage.py: end -->\n"


def block() -> str:
    """What stands between the marks."""
    return f"\n```\n{help_texts()}\n```\n\n"


def shown(text: str) -> str:
    """What stands there now."""
    return text.partition(BEGIN)[2].partition(END)[0]


def main() -> None:
    text = README.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    README.write_text(f"{before}{BEGIN}{block()}{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
