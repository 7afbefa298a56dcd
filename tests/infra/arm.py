"""
Evaluates the expressions of Azure Resource Manager in predictions of `bicep snapshot`.

Values known only after the deployment stay expressions there: `[reference('ID', '…').clientId]`.
Here they become the values of the tests' deployment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from tests.infra.functions import FUNCTIONS
from tests.infra.resource import Resource

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|\d+|\w+|[().,\[\]])")
# Evaluated only when it is called, with the names that lambdas have bound.
_Later = Callable[[Mapping[str, Any]], Any]


class Expressions:
    """The values of expressions, given the *deployed* resources and the *hidden* parameters."""

    def __init__(self, deployed: list[Resource], hidden: Mapping[str, Any]) -> None:
        self._by_id = {each.id: each for each in deployed}
        self._hidden = hidden

    def value(self, found: Any) -> Any:
        """*found* without expressions, all the way down."""
        if isinstance(found, dict):
            return {self.value(name): self.value(each) for name, each in found.items()}
        if isinstance(found, list):
            return [self.value(each) for each in found]
        if not isinstance(found, str) or not found.startswith("["):
            return found
        # The next token comes last, after an empty one that marks the end.
        tokens = ["", *_TOKEN.findall(found[1:-1])[::-1]]
        later = self._expression(tokens)
        assert tokens == [""], found
        return later({})

    def _expression(self, tokens: list[str]) -> _Later:
        first = tokens.pop()
        if first.startswith("'"):
            return lambda _: first[1:-1].replace("''", "'")
        if first.isdigit():
            return lambda _: int(first)
        assert tokens.pop() == "("
        arguments = list(self._arguments(tokens))
        later: _Later = partial(self._call, first, arguments)
        while tokens[-1] in {".", "["}:
            later = _member(later, tokens)
        return later

    def _arguments(self, tokens: list[str]) -> Iterator[_Later]:
        while tokens[-1] != ")":
            yield self._expression(tokens)
            if tokens[-1] == ",":
                tokens.pop()
        tokens.pop()

    def _call(self, name: str, arguments: list[_Later], bound: Mapping[str, Any]) -> Any:
        if name == "if":
            condition, yes, no = arguments
            return (yes if condition(bound) else no)(bound)
        if name == "lambda":
            return lambda item: arguments[1]({**bound, arguments[0](bound): item})
        given = [each(bound) for each in arguments]
        own: dict[str, Callable[..., Any]] = {
            "createObject": lambda *parts: dict(zip(parts[::2], parts[1::2], strict=True)),
            "extensionResourceId": lambda owner, kind, name: f"{owner}/providers/{kind}/{name}",
            "false": lambda: False,
            "filter": lambda items, fits: [item for item in items if fits(item)],
            "format": lambda shape, *parts: shape.format(*parts),
            "lambdaVariables": lambda name: bound[name],
            "list": lambda *_: {"properties": {}},
            "not": lambda value: not value,
            "parameters": lambda name: self._hidden[name],
            "reference": lambda owner, _version: self._by_id[owner].properties,
            "resourceId": _resource_id,
            "split": str.split,
            "true": lambda: True,
        }
        return (own | FUNCTIONS)[name](*given)


def _member(owner: _Later, tokens: list[str]) -> _Later:
    if tokens.pop() == ".":
        name = tokens.pop()
        return lambda bound: owner(bound)[name]
    index = int(tokens.pop())
    assert tokens.pop() == "]"
    return lambda bound: owner(bound)[index]


def _resource_id(subscription: str, group: str, kind: str, *names: str) -> str:
    provider, *types = kind.split("/")
    parts = "/".join(f"{each}/{name}" for each, name in zip(types, names, strict=True))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{parts}"
