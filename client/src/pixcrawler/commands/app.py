"""The command `pixcrawler`."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from pixcrawler.commands import (
    datasets,
    images,
    jobs,
    keys,
    lists,
    local,
    login,
    submit,
    watch,
)
from pixcrawler.commands.operators import observing, optouts, users
from pixcrawler.errors import PixCrawlerError
from pixcrawler.terminal.exit_codes import ExitCode, exit_code_of
from pixcrawler.terminal.output import complain, drop_output, print_what_it_can


class Commands(TyperGroup):
    """All commands. An error of the client becomes a text and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        print_what_it_can(sys.stdout, sys.stderr)
        try:
            return super().invoke(ctx)
        except PixCrawlerError as error:
            complain(f"pixcrawler: {error}")
            raise typer.Exit(exit_code_of(error)) from None
        except BrokenPipeError:
            drop_output()
            raise typer.Exit(ExitCode.OUTPUT_CLOSED) from None
        except OSError as error:
            drop_output()
            complain(f"pixcrawler: {error}")
            raise typer.Exit(ExitCode.USAGE) from None
        except KeyboardInterrupt:
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except typer.Abort as error:
            # a question ends with this error if the answer is no, and at Ctrl-C, which is its context then
            if isinstance(error.__context__, KeyboardInterrupt):
                raise typer.Exit(ExitCode.INTERRUPTED) from None
            raise


def make_app() -> typer.Typer:
    """Returns the app with all commands."""
    made = typer.Typer(
        name="pixcrawler",
        cls=Commands,
        help="Makes image datasets from keywords, with a PixCrawler app.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for module in (login, submit, watch, jobs, datasets, images, observing):
        module.add_commands(made)
    made.add_typer(users.commands, name="users")
    made.add_typer(keys.commands, name="keys")
    made.add_typer(lists.commands, name="lists")
    made.add_typer(optouts.commands, name="optouts")
    made.add_typer(local.commands, name="local")
    return made


app = make_app()


def main() -> None:
    """Runs the command line."""
    app(prog_name="pixcrawler")
