"""ES modules become one script with the same meaning, or an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.cloud.node import find_node
from shared.console.page import modules

MAIN = """
import { asked, say } from "./far.js";
import { near } from "./near.js";
const own = "main";
say(own, near(), asked());
"""
FAR = """
import { count } from "./near.js";
const own = "far";
console.log(own, count());
export function asked() {
  return count();
}
export const say = (...words) => console.log(own, ...words);
"""
NEAR = """
let own = 0;
console.log("near", own);
export function count() {
  own += 1;
  return own;
}
export class Near {}
export const near = () => new Near().constructor.name + own;
"""
OTHER = "export const one = 1;\nconst hidden = 2;\n"


def written(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "main.js"


def run(script: Path) -> str:
    done = subprocess.run([find_node(), script], capture_output=True, text=True, check=True)
    return done.stdout


def test_means_the_same(tmp_path: Path):
    """Order, equal names in two modules, and exports are as in Node.js."""
    main = written(tmp_path, main=MAIN, far=FAR, near=NEAR)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    joined = tmp_path / "joined.js"
    joined.write_text(modules.joined(main))

    assert run(joined) == run(main) == "near 0\nfar 1\nfar main Near1 2\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('import * as other from "./other.js";', "not understood: import [*]"),
        ('import { one as two } from "./other.js";', "one as two"),
        ('import "./other.js";', "not understood"),
        ('import {\n  one,\n} from "./other.js";', "not understood: import {"),
        ('import { one } from "https://example.com/other.js";', "not understood"),
        ('const other = await import("./other.js");', "not understood: import[(]"),
        ("export default 1;", "not understood"),
        ("export let one = 1;", "not understood"),
        ('export { one } from "./other.js";', "not understood"),
        ('import { hidden } from "./other.js";', "other.js does not export hidden"),
        ('import { one } from "./main.js";', "main.js -> main.js: modules import in a circle"),
    ],
)
def test_unsupported_form(tmp_path: Path, text: str, problem: str):
    """Any other form is an error."""
    with pytest.raises(ValueError, match=problem):
        modules.joined(written(tmp_path, main=f"{text}\n", other=OTHER))
