"""All commands of the command line."""

from typing import Any

import typer.main

from pixcrawler.commands.app import make_app


def all_commands() -> dict[str, Any]:
    """Returns each command by its words, such as `keys add`."""
    found: dict[str, Any] = {}
    group: Any = typer.main.get_command(make_app())
    for name, command in group.commands.items():
        within = getattr(command, "commands", None)
        found |= {f"{name} {inner}": each for inner, each in within.items()} if within else {name: command}
    return found
