"""Reads the environment of the process. No other module of the app does.

A library for that imports readers of many other formats, and a cold start would wait for them.
"""

import os
from collections.abc import Mapping

from pydantic.fields import FieldInfo


def variable(name: str, field: FieldInfo) -> str:
    """Returns the environment variable of a field: its alias, or else its name in upper case."""
    return str(field.validation_alias or name.upper())


def read_environment(fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    """Returns the values that the environment has for fields, by the names of the fields.

    The names of variables may be in capital or small letters.
    """
    environment = {name.lower(): value for name, value in os.environ.items()}  # noqa: TID251 - the one reader
    variables = {name: variable(name, field).lower() for name, field in fields.items()}
    return {name: environment[known] for name, known in variables.items() if known in environment}
