"""Stands in for `azd`, which needs Azure: it knows the deployment's parameters and outputs by their names."""

import os
import re
import sys

from tests.documents.stand_ins.refuse import ROOT, refuse

_OUTPUT = re.compile(r"^output (\w+) ", re.MULTILINE)
_PARAMETER = re.compile(r"\$\{(\w+)")
_OF_AZD = {"AZURE_ENV_NAME", "AZURE_SUBSCRIPTION_ID"}


def main() -> None:
    """Does what a call asks for, or refuses it."""
    infra = ROOT / "infra"
    outputs = set(_OUTPUT.findall((infra / "main.bicep").read_text(encoding="utf-8")))
    parameters = set(_PARAMETER.findall((infra / "main.parameters.json").read_text(encoding="utf-8")))
    match sys.argv[1:]:
        case ["auth", "login"] | ["up"] | ["provision"] | ["deploy"] | ["down"] | ["env", "new", _]:
            pass
        case ["env", "set", name, _] if name in parameters:
            pass
        case ["env", "get-value", name] if name in outputs | parameters | _OF_AZD:
            print(_value(name))  # noqa: T201 - a stand-in prints what the program prints
        case _:
            refuse(
                f"no such command, or no such name; parameters are {sorted(parameters)}, outputs {sorted(outputs)}"
            )


def _value(name: str) -> str:
    return os.environ.get(name, f"the-{name.lower()}")  # noqa: TID251 - of the page


if __name__ == "__main__":
    main()
