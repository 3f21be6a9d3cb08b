"""Evaluates the Bicep files with given parameters, as a deployment does, and lists the resources that it makes.

It knows the part of the language that the files use, and fails on anything else. What only Azure knows, such as the
id of an identity, is a text in angle brackets.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.unit.infra.bicep.bicep_file import (
    BicepFile,
    Module,
    Resource,
    loop_names,
    properties_of,
    read_bicep,
    string_of,
    text_of,
    walk,
)

type Scope = Mapping[str, Any]


@dataclass
class Made:
    """A resource that is made or looked up, with what its declaration says, and the file of the declaration."""

    type: str
    name: str
    body: Mapping[str, Any]
    existing: bool
    module: str

    def member(self, name: str) -> Any:
        """Returns what an expression reads of a resource."""
        if name == "id":
            return f"<{self.type}>/{self.name}"
        if name == "name":
            return self.name
        return _Unknown(f"{self.type}/{self.name}", self.name)


@dataclass(frozen=True)
class _Unknown:
    """A property that Azure sets."""

    path: str
    name: str

    def member(self, name: str) -> Any:
        if name in {"blob", "queue", "table"}:
            return f"https://{self.name}.{name}.core.windows.net/"
        return _Unknown(f"{self.path}.{name}", self.name)

    def __str__(self) -> str:
        return f"<{self.path}>"


@dataclass
class Deployment:
    """All resources of a deployment, and the outputs of its main file."""

    resources: list[Made] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Made]:
        """Returns the resources of a type that are made."""
        return [made for made in self.resources if made.type == kind and not made.existing]

    def only(self, kind: str) -> Made:
        """Returns the one resource of a type."""
        [made] = self.of(kind)
        return made


def deploy(path: Path, parameters: Mapping[str, Any]) -> Deployment:
    """Evaluates a file with its modules."""
    made = Deployment()
    made.outputs = _File(read_bicep(path), parameters, made).outputs()
    return made


class _File:
    """One file with the values of its parameters."""

    def __init__(self, file: BicepFile, parameters: Mapping[str, Any], made: Deployment) -> None:
        self.file = file
        self.made = made
        missing = {name for name, p in file.parameters.items() if p.default is None} - parameters.keys()
        assert not missing, f"{file.path.name} needs {missing}"
        unknown = parameters.keys() - file.parameters.keys()
        assert not unknown, f"{file.path.name} has no parameter {unknown}"
        self.values: dict[str, Any] = dict(parameters)
        for name, parameter in file.parameters.items():
            if name not in parameters and parameter.default is not None:
                self.values[name] = self.value(parameter.default, {})
        for name in (*file.resources, *file.modules):
            self.symbol(name)

    def outputs(self) -> dict[str, Any]:
        found = {name: self.value(node, {}) for name, node in self.file.outputs.items()}
        return {name: str(value) if isinstance(value, _Unknown) else value for name, value in found.items()}

    def symbol(self, name: str) -> Any:
        if name not in self.values:
            if name in self.file.variables:
                self.values[name] = self.value(self.file.variables[name], {})
            elif name in self.file.resources:
                resource = self.file.resources[name]
                self.values[name] = self._each(resource.body, {}, partial(self._resource, resource))
            else:
                module = self.file.modules[name]
                self.values[name] = self._each(module.body, {}, partial(self._module, module))
        return self.values[name]

    def _each(self, body: Node, scope: Scope, make: Callable[[Node, Scope], Any]) -> Any:
        """Calls `make` for each round of a loop, or once. A condition that is false gives None."""
        if body.type == "for_statement":
            inner = body.child_by_field_name("body")
            assert inner is not None
            return [self._each(inner, one, make) for one in self._rounds(body, scope)]
        if body.type == "if_statement":
            condition, inner = body.named_children
            return self._each(inner, scope, make) if self.value(condition, scope) else None
        return make(body, scope)

    def _rounds(self, loop: Node, scope: Scope) -> Iterator[Scope]:
        names = loop_names(loop)
        over = loop.named_children[-2]
        for index, item in enumerate(self.value(over, scope)):
            yield {**scope, **dict(zip(names, (item, index), strict=False))}

    def _resource(self, resource: Resource, body: Node, scope: Scope) -> Made:
        properties = {name: self.value(node, scope) for name, node in properties_of(body).items()}
        made = Made(
            resource.type, str(properties["name"]), properties, resource.existing, self.file.path.name
        )
        self.made.resources.append(made)
        inner = {**scope, resource.symbol: made}
        for child in resource.children.values():
            found = self._each(child.body, inner, partial(self._resource, child))
            self.values[f"{resource.symbol}::{child.symbol}"] = found
        return made

    def _module(self, module: Module, body: Node, scope: Scope) -> dict[str, Any]:
        properties = properties_of(body)
        given = {name: self.value(node, scope) for name, node in properties_of(properties["params"]).items()}
        for node in properties.values():
            # `scope` and `dependsOn` must exist, too
            self.value(node, scope)
        return {"outputs": _File(self.file.module_file(module), given, self.made).outputs()}

    def value(self, node: Node, scope: Scope) -> Any:
        """Evaluates an expression."""
        return getattr(self, f"_{node.type}")(node, scope)

    def _string(self, node: Node, scope: Scope) -> str:
        parts = (
            str(self.value(part.named_children[0], scope)) if part.type == "interpolation" else text_of(part)
            for part in node.named_children
        )
        return "".join(parts)

    def _number(self, node: Node, _: Scope) -> int:
        return int(text_of(node))

    def _boolean(self, node: Node, _: Scope) -> bool:
        return text_of(node) == "true"

    def _null(self, *_: Any) -> None:
        return None

    def _identifier(self, node: Node, scope: Scope) -> Any:
        name = text_of(node)
        return scope[name] if name in scope else self.symbol(name)

    def _array(self, node: Node, scope: Scope) -> list[Any]:
        return [self.value(child, scope) for child in node.named_children]

    def _object(self, node: Node, scope: Scope) -> dict[str, Any]:
        pairs = (child.named_children for child in node.named_children if child.type == "object_property")
        return {
            text_of(key) if key.type == "identifier" else self._string(key, scope): self.value(value, scope)
            for key, value in pairs
        }

    def _parenthesized_expression(self, node: Node, scope: Scope) -> Any:
        return self.value(node.named_children[0], scope)

    def _ternary_expression(self, node: Node, scope: Scope) -> Any:
        condition, then, otherwise = node.named_children
        return self.value(then if self.value(condition, scope) else otherwise, scope)

    def _unary_expression(self, node: Node, scope: Scope) -> bool:
        assert text_of(node).startswith("!")
        return not self.value(node.named_children[0], scope)

    def _binary_expression(self, node: Node, scope: Scope) -> Any:
        left, right = (self.value(child, scope) for child in node.named_children)
        operator = node.child_by_field_name("operator")
        assert operator is not None
        return {"&&": lambda: left and right, ">": lambda: left > right, "==": lambda: left == right}[
            text_of(operator)
        ]()

    def _subscript_expression(self, node: Node, scope: Scope) -> Any:
        over, index = node.named_children
        return self.value(over, scope)[self.value(index, scope)]

    def _resource_expression(self, node: Node, _: Scope) -> Any:
        return self.values[text_of(node)]

    def _member_expression(self, node: Node, scope: Scope) -> Any:
        inner, name = node.named_children
        found = self.value(inner, scope)
        if callable(found):
            # the parser reads `s => s.key` as `(s => s).key`
            return lambda item: _member(found(item), text_of(name))
        return _member(found, text_of(name))

    def _lambda_expression(self, node: Node, scope: Scope) -> Callable[[Any], Any]:
        name, body = node.named_children
        return lambda item: self.value(body, {**scope, text_of(name): item})

    def _call_expression(self, node: Node, scope: Scope) -> Any:
        name = text_of(node.named_children[0])
        arguments = node.named_children[1].named_children
        if name == "loadTextContent":
            return (self.file.path.parent / string_of(arguments[0])).read_text(encoding="utf-8")
        return FUNCTIONS[name](*(self.value(argument, scope) for argument in arguments))


def _member(found: Any, name: str) -> Any:
    return found[name] if isinstance(found, dict) else found.member(name)


def _hash(length: int) -> Callable[..., str]:
    """Returns a function that makes a text of lower-case letters and digits, as `uniqueString` does."""
    return lambda *parts: hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:length]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "empty": lambda value: not value,
    "environment": lambda: {
        "suffixes": {"storage": "core.windows.net"},
        "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    },
    "filter": lambda values, keep: [value for value in values if keep(value)],
    "guid": _hash(32),
    "items": lambda pairs: [{"key": key, "value": pairs[key]} for key in sorted(pairs)],
    "string": str,
    "subscription": lambda: {"id": "/subscriptions/<subscription>", "tenantId": "<tenant>"},
    "subscriptionResourceId": lambda kind, name: f"<{kind}>/{name}",
    "toObject": lambda values, key, value: {key(item): value(item) for item in values},
    "union": lambda *parts: {name: value for part in parts for name, value in part.items()},
    "uniqueString": _hash(13),
    "utcNow": lambda _: "2026-01-01",
}
"""The functions of Bicep that the files call."""


def called_functions(file: BicepFile) -> set[str]:
    """Returns the functions that a file calls outside of decorators."""
    calls = [node for node in walk(file.root) if node.type == "call_expression"]
    return {
        text_of(call.named_children[0])
        for call in calls
        if call.parent is not None and call.parent.type != "decorator"
    }
