"""Reads Bicep files: their declarations, and the names that their expressions refer to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).parents[4] / "infra"
_PARSER = Parser(Language(tree_sitter_bicep.language()))


@dataclass(frozen=True)
class Parameter:
    """A parameter: its type, its default value if it has one, and its decorators with their arguments."""

    name: str
    type: str
    default: Node | None
    decorators: Mapping[str, Node]


@dataclass(frozen=True)
class Resource:
    """A resource. `type` is without the API version; nested resources have the whole type. `body` may be in a loop."""

    symbol: str
    type: str
    existing: bool
    body: Node
    parent: "Resource | None" = None
    children: Mapping[str, "Resource"] = field(default_factory=dict)


@dataclass(frozen=True)
class Module:
    """The use of another file."""

    symbol: str
    path: str
    body: Node


@dataclass(frozen=True)
class BicepFile:
    """The declarations of a file."""

    path: Path
    root: Node
    parameters: Mapping[str, Parameter]
    variables: Mapping[str, Node]
    resources: Mapping[str, Resource]
    modules: Mapping[str, Module]
    outputs: Mapping[str, Node]

    @property
    def symbols(self) -> set[str]:
        """The names that expressions may refer to."""
        return {*self.parameters, *self.variables, *self.resources, *self.modules}

    def module_file(self, module: Module) -> "BicepFile":
        """Reads the file of a module."""
        return read_bicep(self.path.parent / module.path)


def bicep_files() -> list[Path]:
    """Returns all Bicep files of the project."""
    return sorted(INFRA.rglob("*.bicep"))


@cache
def read_bicep(path: Path) -> BicepFile:
    """Reads a file. It fails if the file has a syntax error."""
    root = _PARSER.parse(path.read_bytes()).root_node
    errors = [node for node in walk(root) if node.is_error or node.is_missing]
    assert not errors, f"{path.name}, line {errors[0].start_point.row + 1}: {text_of(errors[0])[:80]!r}"
    found = BicepFile(path, root, {}, {}, {}, {}, {})
    decorators: Mapping[str, Node] = {}
    for node in root.named_children:
        _declare(found, node, decorators)
        decorators = _decorators(node) if node.type == "decorators" else {}
    return found


def walk(node: Node) -> Iterator[Node]:
    """Yields a node and all nodes below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text_of(node: Node) -> str:
    """Returns the source of a node."""
    assert node.text is not None
    return node.text.decode()


def string_of(node: Node) -> str:
    """Returns the value of a string without interpolation."""
    assert node.type == "string", text_of(node)
    assert all(child.type != "interpolation" for child in node.children), text_of(node)
    return "".join(text_of(child) for child in node.named_children)


def value_of(node: Node) -> Node:
    """Returns the node behind the last `=` of a declaration."""
    return node.named_children[-1]


def properties_of(body: Node) -> dict[str, Node]:
    """Returns the properties of an object, or of the object in a loop or a condition. Nested resources are left out."""
    while body.type != "object":
        body = body.child_by_field_name("body") or body.named_children[-1]
    return {
        _key(pair.named_children[0]): pair.named_children[1]
        for pair in body.named_children
        if pair.type == "object_property" and len(pair.named_children) == 2
    }


def references(file: BicepFile) -> Iterator[tuple[str, Node, frozenset[str]]]:
    """Yields each name that an expression refers to, its node, and the local names there (of loops and lambdas)."""
    yield from _references(file.root, frozenset())


def loop_names(node: Node) -> list[str]:
    """Returns the names that a loop declares: of the item, and of its index if it has one."""
    initializer = node.child_by_field_name("initializer")
    if initializer is not None:
        return [text_of(initializer)]
    return [
        text_of(n) for n in walk(node.named_children[0]) if n.type in {"loop_variable", "loop_enumerator"}
    ]


def _references(node: Node, local: frozenset[str]) -> Iterator[tuple[str, Node, frozenset[str]]]:
    if node.type == "for_statement":
        local |= set(loop_names(node))
    if node.type == "lambda_expression":
        local |= {text_of(n) for n in walk(node.named_children[0]) if n.type == "identifier"}
    if node.type == "member_expression" and _in_lambda(node) is not None:
        inner = _in_lambda(node)
        assert inner is not None
        local |= {text_of(n) for n in walk(inner.named_children[0]) if n.type == "identifier"}
    for child in _expressions(node):
        if child.type == "identifier":
            yield text_of(child), child, local
        else:
            yield from _references(child, local)


def _in_lambda(node: Node) -> Node | None:
    """The parser reads `s => s.key` as `(s => s).key`. Returns that lambda."""
    inner = node.child_by_field_name("object")
    while inner is not None and inner.type == "member_expression":
        inner = inner.child_by_field_name("object")
    return inner if inner is not None and inner.type == "lambda_expression" else None


def _expressions(node: Node) -> list[Node]:
    """Returns the children of a node that are expressions, without the names that it declares."""
    children = node.named_children
    match node.type:
        case "parameter_declaration" | "variable_declaration" | "resource_declaration" | "module_declaration":
            return children[1:]
        case "output_declaration":
            return children[2:]
        case "object_property" if len(children) == 2:
            return children[1:] if children[0].type == "identifier" else children
        case "call_expression":
            return [child for child in children if child.type == "arguments"]
        case "resource_expression":
            return children[:1]
        case "for_loop_parameters":
            return []
        case "type":
            return []
        case _:
            return children


def _key(node: Node) -> str:
    return text_of(node) if node.type == "identifier" else text_of(node).strip("'")


def _decorators(node: Node) -> dict[str, Node]:
    calls = [child.named_children[0] for child in node.named_children]
    return {text_of(call.named_children[0]): call.named_children[1] for call in calls}


def _declare(file: BicepFile, node: Node, decorators: Mapping[str, Node]) -> None:
    if not node.type.endswith("_declaration"):
        return
    name = text_of(next(child for child in node.named_children if child.type == "identifier"))
    # outputs have names of their own
    taken = file.outputs.keys() if node.type == "output_declaration" else file.symbols
    assert name not in taken, f"{file.path.name} declares {name} twice"
    match node.type:
        case "parameter_declaration":
            kind = next(child for child in node.named_children if child.type == "type")
            default = None if value_of(node) == kind else value_of(node)
            vars(file)["parameters"][name] = Parameter(name, text_of(kind), default, decorators)
        case "variable_declaration":
            vars(file)["variables"][name] = value_of(node)
        case "resource_declaration":
            vars(file)["resources"][name] = _resource(node, None)
        case "module_declaration":
            vars(file)["modules"][name] = Module(name, string_of(node.named_children[1]), value_of(node))
        case "output_declaration":
            vars(file)["outputs"][name] = value_of(node)


def _resource(node: Node, parent: Resource | None) -> Resource:
    kind = string_of(node.named_children[1]).partition("@")[0]
    whole = kind if parent is None else f"{parent.type}/{kind}"
    existing = any(child.type == "existing" for child in node.children)
    made = Resource(text_of(node.named_children[0]), whole, existing, value_of(node), parent)
    body = value_of(node)
    while body.type != "object":
        body = body.child_by_field_name("body") or body.named_children[-1]
    nested = [
        pair.named_children[0]
        for pair in body.named_children
        if pair.type == "object_property" and pair.named_children[0].type == "resource_declaration"
    ]
    vars(made)["children"].update({child.symbol: child for child in (_resource(n, made) for n in nested)})
    return made
