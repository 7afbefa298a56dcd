"""The declarations of a Bicep file: each name, and the syntax tree of its value."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from tests import REPO

INFRA = REPO / "infra"
MAIN = INFRA / "main.bicep"
GROUP = INFRA / "group.bicep"
TYPES = INFRA / "types.bicep"
_NAMES = {"identifier", "property_identifier", "loop_variable", "loop_enumerator"}


@dataclass(frozen=True)
class Declaration:
    """A parameter, variable, resource, module, output or type."""

    name: str
    # Of a parameter or output `string`; of a resource `Microsoft.Web/sites@2025-03-01`; of a
    # module its file.
    kind: str
    value: Node | None
    existing: bool = False
    decorators: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Template:
    """The declarations of one file by kind and name."""

    path: Path
    scope: str
    imported: set[str]
    root: Node
    parameters: dict[str, Declaration]
    variables: dict[str, Declaration]
    resources: dict[str, Declaration]
    modules: dict[str, Declaration]
    outputs: dict[str, Declaration]
    types: dict[str, Declaration]

    def symbols(self) -> dict[str, Declaration]:
        """Everything an expression may name."""
        return self.parameters | self.variables | self.resources | self.modules

    def mentioned(self) -> set[str]:
        """Every name that an expression of this file mentions, and that is not declared by it."""
        return {text(node) for node in walk(self.root) if _is_mention(node)}


def files() -> list[Path]:
    return sorted(INFRA.glob("*.bicep"))


@functools.cache
def read(path: Path) -> Template:
    """Parse *path*; a syntax error fails with its place."""
    root = Parser(Language(tree_sitter_bicep.language())).parse(path.read_bytes()).root_node
    wrong = [node for node in walk(root) if node.is_error or node.is_missing]
    assert not wrong, f"{path.name}:{wrong[0].start_point.row + 1}: {text(wrong[0])[:60]!r}"
    found: dict[str, dict[str, Declaration]] = {
        kind: {} for kind in ("parameter", "variable", "resource", "module", "output", "type")
    }
    scope, decorators, imported = "resourceGroup", {}, set()
    for node in root.named_children:
        kind = node.type.removesuffix("_declaration")
        if node.type == "decorators":
            decorators = _decorators(node)
        elif node.type == "target_scope_assignment":
            scope = text(node.named_children[-1]).strip("'")
        elif node.type == "import_functionality":
            imported |= {text(part) for part in parts(node) if part.type == "identifier"}
        elif kind in found:
            declaration = _declaration(kind, node, decorators)
            assert declaration.name not in found[kind], declaration.name
            found[kind][declaration.name] = declaration
            decorators = {}
        else:
            assert node.type in {"comment", "diagnostic_comment"}, f"{path.name}: {node.type}"
    declared = {f"{kind}s": named for kind, named in found.items()}
    return Template(path, scope, imported, root, **declared)


def text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def parts(node: Node) -> list[Node]:
    """The children that mean something."""
    comments = {"comment", "diagnostic_comment"}
    return [child for child in node.named_children if child.type not in comments]


def _declaration(kind: str, node: Node, decorators: dict[str, Node]) -> Declaration:
    named = parts(node)
    has_value = any(child.type == "=" for child in node.children)
    return Declaration(
        name=text(named[0]),
        kind="" if kind in {"variable", "type"} else text(named[1]).strip("'"),
        value=named[-1] if has_value else None,
        existing=any(child.type == "existing" for child in node.children),
        decorators=decorators,
    )


def _decorators(node: Node) -> dict[str, Node]:
    calls = [decorator.named_children[0] for decorator in parts(node)]
    return {text(call.named_children[0]): call.named_children[1] for call in calls}


def _is_mention(node: Node) -> bool:
    parent = node.parent
    if node.type != "identifier" or parent is None:
        return False
    declares = parent.type.endswith("_declaration") and parent.named_children[0] == node
    imports = parent.type == "import_functionality"
    names_a_field = parent.type == "object_property" and parent.named_children[0] == node
    called = parent.type == "call_expression" and parent.named_children[0] == node
    loops = parent.type == "for_statement" and parent.child_by_field_name("initializer") == node
    return not (declares or imports or names_a_field or called or loops)
