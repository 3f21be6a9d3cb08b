"""Makes the tables of docs/reference/settings.md and local.settings.json.example out of the settings: `make settings`.

A topic's class gives a section, its fields' docstrings give the rows. The docstrings are read from the source, so
that the app keeps none of them in memory.
"""

import ast
import inspect
import itertools
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from shared.settings import Settings
from shared.settings.azure_variables import AzureVariables
from shared.settings.environment import variable
from shared.settings.topics.topic import Topic

_ROOT = Path(__file__).parents[1]
PAGE = _ROOT / "docs" / "reference" / "settings.md"
EXAMPLE = _ROOT / "local.settings.json.example"

_BEGIN = "<!-- The tables are made by `make settings`. -->\n\n"
_END = "\n<!-- The tables end here. -->\n"
_HEAD = "| setting | default | values | meaning |\n|---|---|---|---|\n"
_NONE = "\N{EN DASH}"
# what the Functions host needs beside the settings of the app
_VALUES_OF_THE_HOST = {"FUNCTIONS_WORKER_RUNTIME": "python"}
_HOST = {"LocalHttpPort": 7071, "CORS": "*"}


def topics() -> list[type[Topic]]:
    """Returns the topics whose settings an operator sets, in the order of the page."""
    return [base for base in Settings.__bases__ if issubclass(base, Topic) and base is not AzureVariables]


def required_settings() -> set[str]:
    """Returns the settings that a deployment has to set."""
    return {variable(name, field) for name, field in Settings.model_fields.items() if _is_required(field)}


def with_tables(page: str) -> str:
    """Returns the page with the tables as they should be.

    Raises:
        ValueError: the page has no place for them.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("The page has no marks for the tables.")
    schema = Settings.model_json_schema(by_alias=False)
    return f"{before}{begin}{'\n'.join(_section(topic, schema) for topic in topics())}{end}{after}"


def example() -> str:
    """Returns the example of local.settings.json: each setting that has an example value."""
    values = {
        variable(name, field): field.examples[0]
        for topic in topics()
        for name, field in topic.model_fields.items()
        if field.examples
    }
    content = {"IsEncrypted": False, "Values": {**_VALUES_OF_THE_HOST, **values}, "Host": _HOST}
    return json.dumps(content, indent=2) + "\n"


def _section(topic: type[Topic], schema: Mapping[str, Any]) -> str:
    title, _, text = inspect.cleandoc(topic.__doc__ or "").partition("\n")
    meanings = dict(_docstrings(topic))
    rows = "".join(
        f"| `{variable(name, field)}` | {_default(field)} | {_values(schema['properties'][name], schema)} "
        f"| {meanings[name]} |\n"
        for name, field in topic.model_fields.items()
    )
    return f"## {title.rstrip('.')}\n\n{_HEAD}{rows}{f'\n{text.strip()}\n' if text else ''}"


def _docstrings(topic: type[Topic]) -> Iterator[tuple[str, str]]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(topic)))
    for pair in itertools.pairwise(next(node for node in tree.body if isinstance(node, ast.ClassDef)).body):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())
            case _:
                pass


def _is_required(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("required") is True


def _default(field: FieldInfo) -> str:
    match field.default:
        case None:
            return "required on Azure" if _is_required(field) else _NONE
        case bool(value):
            return f"`{str(value).lower()}`"
        case float(value):
            return f"`{value:g}`"
        case value:
            return f"`{value}`"


def _values(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """Returns the values that a setting may have, if its type bounds them."""
    while "$ref" in schema or "anyOf" in schema:
        known = schema.get("anyOf") or [root["$defs"][schema["$ref"].rpartition("/")[2]]]
        schema = known[0]
    if schema.get("type") == "boolean":
        return "`true`, `false`"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") not in {"integer", "number"}:
        return _NONE
    least = schema.get("minimum")
    lower = f"{least:,}" if least is not None else f"more than {schema['exclusiveMinimum']:,}"
    most = schema.get("maximum")
    if most is None:
        return f"at least {lower}"
    return f"{lower} to {most:,}" if least is not None else f"{lower}, at most {most:,}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    EXAMPLE.write_text(example(), encoding="utf-8")
