"""
Evaluates what a Bicep file deploys, like its compiler and Azure Resource Manager.

It supports the part of the language that infra/ uses and refuses everything else. Values that Azure
generates (ids, addresses) are generated here in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.functions import FUNCTIONS, LIMITS, SUBSCRIPTION, as_text
from tests.infra.resource import Resource, identify
from tests.infra.template import INFRA, TYPES, Declaration, Template, parts, read, text

Scope = Mapping[str, Any]
# The id of the existing group; main.bicep would give its group the same name.
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-photosync-prod"
# The types of parameters; all others are objects of a declared type.
_KINDS: dict[str, type] = {"string": str, "int": int, "bool": bool}


@dataclass
class World:
    """The resources deployed so far by all modules, and the app's present settings."""

    present: dict[str, str]
    resources: list[Resource] = field(default_factory=list)
    # The parameters that Azure shows to every reader: those that are not @secure.
    shown: list[Any] = field(default_factory=list)
    # The variable `settings` of group.bicep, which a snapshot does not show.
    settings: Any = None


def deploy(
    path: Path, given: Mapping[str, Any], present: Mapping[str, str] | None = None
) -> tuple[list[Resource], dict[str, Any]]:
    """The resources of *path* and its modules, and its outputs; *present* are app settings."""
    world = World(dict(present or {}))
    return world.resources, deploy_into(world, path, given)


def deploy_into(world: World, path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Add to *world* what *path* deploys, and return its outputs."""
    template = read(path)
    group = "" if template.scope == "subscription" else GROUP_ID
    return _File(template, given, world, group).deploy()


class _File:
    def __init__(
        self, template: Template, given: Mapping[str, Any], world: World, group: str = ""
    ) -> None:
        unknown = given.keys() - template.parameters.keys()
        assert not unknown, f"{template.path.name} has no parameter {unknown}"
        self.template = template
        self.world = world
        # The id of the resource group, within one.
        self.group = group
        self.known: dict[str, Any] = dict(given)
        shown = [name for name in given if not _is_secure(template, name)]
        world.shown.append({name: given[name] for name in shown})

    def deploy(self) -> dict[str, Any]:
        for name, declaration in self.template.parameters.items():
            missing = name not in self.known and declaration.value is None
            assert not missing, f"{self.template.path.name} needs {name}"
            self.check(declaration)
        for name in (*self.template.resources, *self.template.modules):
            self.symbol(name)
        if "settings" in self.template.variables:
            self.world.settings = self.symbol("settings")
        return {
            name: self.value(_present(output), {}) for name, output in self.template.outputs.items()
        }

    def check(self, declaration: Declaration) -> None:
        """Refuse a parameter as Azure does: by its decorators."""
        value = self.symbol(declaration.name)
        if declaration.kind in self.template.imported:
            # BCP308: other decorators belong to the declaration of the type.
            assert declaration.decorators.keys() == {"description"}, declaration.name
        fits_kind = isinstance(value, _KINDS.get(declaration.kind, dict))
        assert fits_kind, f"{declaration.name}: {value!r} is no {declaration.kind}"
        for decorator, arguments in declaration.decorators.items():
            fits = LIMITS.get(decorator)
            limit = self.value(parts(arguments)[0], {}) if fits else None
            assert not fits or fits(value, limit), f"{declaration.name}: {decorator} {limit}"

    def symbol(self, name: str) -> Any:
        if name not in self.known:
            declaration = self.template.symbols()[name]
            self.known[name] = self.declared(declaration)
        return self.known[name]

    def declared(self, declaration: Declaration) -> Any:
        node = _present(declaration)
        if declaration.name in self.template.resources:
            return self.each(node, lambda body: self.resource(declaration, body))
        if declaration.name in self.template.modules:
            return self.each(node, lambda body: self.module(declaration, body))
        return self.value(node, {})

    def each(self, node: Node, make: Callable[[dict[str, Any]], Any]) -> Any:
        if node.type == "if_statement":
            condition, body = parts(node)
            return make(self.value(body, {})) if self.value(condition, {}) else None
        found = self.value(node, {})
        return [make(body) for body in found] if isinstance(found, list) else make(found)

    def resource(self, declaration: Declaration, body: dict[str, Any]) -> Resource:
        kind, _, version = declaration.kind.partition("@")
        file = self.template.path.name
        found = identify(kind, body, self.group)
        made = Resource(declaration.name, file, kind, version, declaration.existing, body, found)
        self.world.resources.append(made)
        return made

    def module(self, declaration: Declaration, body: dict[str, Any]) -> dict[str, Any]:
        # In a subscription, a module has to go somewhere.
        assert ("scope" in body) == (self.template.scope == "subscription"), declaration.name
        group = body["scope"].id if "scope" in body else self.group
        inner = _File(read(INFRA / declaration.kind), body.get("params", {}), self.world, group)
        return {"outputs": inner.deploy()}

    def value(self, node: Node, local: Scope) -> Any:
        how = getattr(self, f"_{node.type}", None)
        assert how is not None, f"{self.template.path.name}: {node.type} is not understood"
        return how(node, local)

    def _string(self, node: Node, local: Scope) -> str:
        pieces = []
        for part in node.children[1:]:
            words = text(part)
            if part.type == "interpolation":
                # The grammar takes white space before it for a part of it, and before the end, too.
                pieces.append(words[: words.index("${")])
                pieces.append(as_text(self.value(part.named_children[0], local)))
            elif part.type == "'":
                pieces.append(words.removesuffix("'"))
            else:
                pieces.append(words.removeprefix("\\") if part.type[:3] == "esc" else words)
        return "".join(pieces)

    def _number(self, node: Node, local: Scope) -> int:
        return int(text(node))

    def _boolean(self, node: Node, local: Scope) -> bool:
        return text(node) == "true"

    def _null(self, node: Node, local: Scope) -> None:
        return None

    def _array(self, node: Node, local: Scope) -> list[Any]:
        return [self.value(part, local) for part in parts(node)]

    def _object(self, node: Node, local: Scope) -> dict[str, Any]:
        made = {}
        for part in parts(node):
            key, value = parts(part)
            name = self.value(key, local) if key.type == "string" else text(key)
            made[name] = self.value(value, local)
        return made

    def _identifier(self, node: Node, local: Scope) -> Any:
        name = text(node)
        return local[name] if name in local else self.symbol(name)

    def _parenthesized_expression(self, node: Node, local: Scope) -> Any:
        return self.value(parts(node)[0], local)

    def _ternary_expression(self, node: Node, local: Scope) -> Any:
        condition, yes, no = parts(node)
        return self.value(yes if self.value(condition, local) else no, local)

    def _unary_expression(self, node: Node, local: Scope) -> bool:
        assert text(node).startswith("!")
        return not self.value(parts(node)[-1], local)

    def _binary_expression(self, node: Node, local: Scope) -> Any:
        left, right = parts(node)
        operator = text(node.children[1])
        if operator in {"&&", "||", "??"}:
            first = self.value(left, local)
            enough = {"&&": not first, "||": bool(first), "??": first is not None}[operator]
            return first if enough else self.value(right, local)
        a, b = self.value(left, local), self.value(right, local)
        return {
            "==": lambda: a == b,
            "!=": lambda: a != b,
            "*": lambda: a * b,
            "+": lambda: a + b,
            "/": lambda: a // b,
            "-": lambda: a - b,
            "<": lambda: a < b,
            ">": lambda: a > b,
        }[operator]()

    def _member_expression(self, node: Node, local: Scope) -> Any:
        names: list[str] = []
        while node.type == "member_expression":
            owner, name = parts(node)
            names, node = [text(name), *names], owner
        if node.type == "ternary_expression":
            # The grammar takes `a ? b : c.d` for `(a ? b : c).d`; Bicep does not.
            condition, yes, no = parts(node)
            if self.value(condition, local):
                return self.value(yes, local)
            node = no
        found = self.value(node, local)
        for each in names:
            found = found[each] if isinstance(found, dict) else getattr(found, each)
        return found

    def _subscript_expression(self, node: Node, local: Scope) -> Any:
        owner, index = parts(node)
        return self.value(owner, local)[self.value(index, local)]

    def _for_statement(self, node: Node, local: Scope) -> list[Any]:
        named = parts(node)
        loop, items, body = named[0], self.value(named[1], local), named[2]
        if loop.type != "for_loop_parameters":
            return [self.value(body, {**local, text(loop): item}) for item in items]
        item_name, index_name = (text(part) for part in parts(loop))
        return [
            self.value(body, {**local, item_name: item, index_name: index})
            for index, item in enumerate(items)
        ]

    def _lambda_expression(self, node: Node, local: Scope) -> Callable[[Any], Any]:
        argument, body = parts(node)
        return lambda item: self.value(body, {**local, text(argument): item})

    def _call_expression(self, node: Node, local: Scope) -> Any:
        name, arguments = parts(node)
        if text(name) == "resourceGroup":
            return {"id": self.group, "name": self.group.rpartition("/")[2]}
        given = [self.value(part, local) for part in parts(arguments)]
        if text(name) == "list":
            assert given[0].endswith("/config/appsettings")
            return {"properties": self.world.present}
        assert text(name) in FUNCTIONS, f"{self.template.path.name}: {text(name)}() is not known"
        return FUNCTIONS[text(name)](*given)


def _is_secure(template: Template, name: str) -> bool:
    parameter = template.parameters[name]
    types = read(TYPES).types
    says = types[parameter.kind] if parameter.kind in template.imported else parameter
    return "secure" in says.decorators


def _present(declaration: Declaration) -> Node:
    assert declaration.value is not None, declaration.name
    return declaration.value
